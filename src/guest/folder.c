#include "guest/folder.h"
#include "config/repo-url.h"

#include "config/project.h"
#include "lib/text.h"

char *folder_first(const struct vm *vm)
{
        if (vm->record.repos.count == 0)
                return NULL;
        if (streq(vm->record.repos.items[0], "."))
                return repo_checkout_name(vm->record.owner, vm->name);
        return repo_url_name(vm->record.repos.items[0]);
}

char *folder_script(const struct vm *vm, const char *const *argv)
{
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;
        _cleanup_(freep) char *repo = folder_first(vm);

        if (repo) {
                strbuf_adds(&script, "cd -- ~/code/");
                text_shell_quote(&script, repo);
                strbuf_adds(&script, " 2>/dev/null || cd; ");
        }
        if (argv) {
                _cleanup_(freep) char *command = text_shell_join(argv);

                strbuf_adds(&script, command);
        } else {
                strbuf_adds(&script, "exec \"${SHELL:-/bin/sh}\" -l");
        }
        return strbuf_take(&script);
}

char *folder_keep_status(const char *script)
{
        return xasprintf("trap : INT QUIT; %s; exit $?", script);
}
