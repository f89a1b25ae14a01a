#include "command/command.h"
#include "command/result.h"

#include "lib/text.h"

struct help_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct help_options),
        { 0 },
};

static json_t *option_json(const struct option *option)
{
        json_t *value = json_pack("{s:s, s:s}", "name", option->name, "help", option->help);

        if (option->letter) {
                char letter[] = { option->letter, 0 };

                json_object_set_new(value, "letter", json_string(letter));
        }
        if (option->value_name)
                json_object_set_new(value, "value", json_string(option->value_name));
        if (option->type == OPTION_TEXTS)
                json_object_set_new(value, "repeated", json_true());
        return value;
}

static json_t *command_json(const struct command *command)
{
        _cleanup_(strv_clear) struct strv aliases = STRV_INIT;
        const char *const *lines = command_examples(command);
        json_t *examples = json_array();
        json_t *names = json_array();
        json_t *list = json_array();

        command_aliases(command, &aliases);
        for (size_t i = 0; i < aliases.count; i++)
                json_array_append_new(names, json_string(aliases.items[i]));
        for (const struct option *option = command->options; option->name; option++)
                json_array_append_new(list, option_json(option));
        for (size_t i = 0; i < COMMAND_EXAMPLES && lines[i]; i++)
                json_array_append_new(examples, json_string(lines[i]));
        return json_pack("{s:s, s:o, s:s, s:s, s:b, s:o, s:o}", "name", command->name, "aliases", names, "operands",
                         command->operands, "summary", command->summary, "internal", (int)command->internal, "options", list,
                         "examples", examples);
}

/* The completions are made from this, and the manual is checked against it. */
static void print_json(void)
{
        json_t *list = json_array();

        for (const struct command *const *command = commands; *command; command++)
                json_array_append_new(list, command_json(*command));
        result_json(list);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const char *name = invocation_name(invocation);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        const struct command *command = name ? command_find(name) : NULL;

        if (context->mode == OUTPUT_JSON) {
                print_json();
                return 0;
        }
        if (name && !command) {
                error_set(err, ERROR_USAGE, "no command '%s'", name);
                return error_hint(err, "%s", command_word_hint(name) ? command_word_hint(name) : "machine help");
        }
        if (command)
                command_help(command, &text);
        else
                command_overview(&text);
        fputs(text.buf, stdout);
        return 0;
}

const struct command command_help_ = {
        .name = "help",
        .operands = "[COMMAND]",
        .summary = "print the commands, or one command's options",
        .options = options,
        .options_size = sizeof(struct help_options),
        .operands_most = 1,
        .run = run,
};
