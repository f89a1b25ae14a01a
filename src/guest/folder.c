#include "guest/folder.h"

#include "config/project.h"
#include "config/repo-url.h"
#include "lib/text.h"

#define REPOS_SHOWN 20

static char *folder_of(const struct vm *vm, const char *url)
{
        const char *checkout = vm_record_checkout(&vm->record);
        const char *named_after = vm->record.fork_of ? vm->record.fork_of : vm->name;

        return streq(url, ".") ? repo_checkout_name(checkout ? checkout : vm->record.owner, named_after) : repo_url_name(url);
}

char *folder_first(const struct vm *vm)
{
        return vm->record.repos.count > 0 ? folder_of(vm, vm->record.repos.items[0]) : NULL;
}

static int refuse_repo(const struct vm *vm, const char *repo, const struct strv *known, struct error **err)
{
        _cleanup_(freep) char *shown = text_visible_dup(repo);
        _cleanup_(freep) char *list = text_first_of(known, REPOS_SHOWN);

        error_set(err, ERROR_NOT_FOUND, "VM '%s' has no repo '%s'", vm->name, shown);
        return known->count > 0 ? error_hint(err, "its repos: %s", list)
                                : error_hint(err, "it has no repos; leave out --repo to open ~/code");
}

int folder_path(const struct vm *vm, const char *repo, char **path, struct error **err)
{
        _cleanup_(strv_clear) struct strv known = STRV_INIT;
        const char *folder = repo;

        for (size_t i = 0; i < vm->record.repos.count; i++) {
                char *name = folder_of(vm, vm->record.repos.items[i]);

                if (name)
                        strv_take(&known, name);
        }
        if (repo && !strv_contains(&known, repo))
                return refuse_repo(vm, repo, &known, err);
        if (!folder && known.count > 0)
                folder = known.items[0];
        set_string(path, xasprintf("/home/%s/code%s%s", vm->record.user, folder ? "/" : "", folder ? folder : ""));
        return 0;
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
