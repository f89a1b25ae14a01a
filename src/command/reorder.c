#include "command/reorder.h"

#include "command/command.h"

/* Are the first `count` words all options of this command, with their values? */
static bool takes(const struct command *command, const char *const *argv, size_t count)
{
        _cleanup_(freep) struct common_options *options = xcalloc(1, command->options_size);
        _cleanup_(strv_clear) struct strv operands = STRV_INIT, words = STRV_INIT;

        for (size_t i = 0; i < count; i++)
                strv_add(&words, argv[i]);
        return option_parse(command->options, strv_argv(&words), false, options, &operands, NULL, NULL) == 0 &&
               operands.count == 0;
}

bool reorder(const char *const *argv, struct strv *out)
{
        size_t found = 0;

        for (size_t i = 1; argv[i] && !streq(argv[i], "--"); i++) {
                const struct command *command = command_find(argv[i]);

                if (!command)
                        continue;
                if (found == 0)
                        found = i;
                if (!takes(command, argv, i))
                        continue;
                found = i;
                break;
        }
        if (found == 0)
                return false;
        strv_add(out, argv[found]);
        for (size_t i = 0; argv[i]; i++)
                if (i != found)
                        strv_add(out, argv[i]);
        return true;
}
