#include "command/target.h"

#include <errno.h>
#include <unistd.h>

#include "config/trust.h"
#include "lib/file.h"
#include "lib/text.h"
#include "term/prompt.h"

#define MACHINE_TOML ".machine.toml"

void target_clear(struct target *target)
{
        free(target->name);
        project_clear(&target->project);
        projects_clear(&target->projects);
        checkout_tree_clear(&target->tree);
        *target = (struct target)TARGET_INIT;
}

/* A file of the repo's on a terminal: line by line, each made harmless. */
static void show_file(const struct checkout_tree *tree, const struct checkout_file *file)
{
        const struct strbuf *content = &file->content;
        _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;
        _cleanup_(freep) char *name = text_visible_dup(file->name);

        for (size_t start = 0, end; start < content->len; start = end + 1) {
                const char *found = memchr(content->buf + start, '\n', content->len - start);

                end = found ? (size_t)(found - content->buf) : content->len;
                strbuf_adds(&shown, "  ");
                text_visible(&shown, content->buf + start, end - start);
                strbuf_addc(&shown, '\n');
        }
        if (content->len == 0)
                strbuf_adds(&shown, file == tree->files ? "  (nothing: every key has its default)\n" : "  (nothing)\n");
        fprintf(stderr, "%s/%s says:\n\n%s\n", tree->folder, name, shown.buf);
}

static int ask_trust(struct context *context, const struct checkout_tree *tree, bool yes, struct error **err)
{
        _cleanup_(freep) char *file = path_join(tree->folder, MACHINE_TOML);
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        int answer = 1;

        checkout_tree_content(tree, &content);
        if (!yes) {
                output_settle(context->output);
                for (size_t i = 0; i < tree->count; i++)
                        show_file(tree, &tree->files[i]);
                answer = prompt_yes(tree->count == 1 ? "Trust this file, as it is now?" : "Trust these files, as they are now?",
                                    "machine trust --yes", err);
        }
        if (answer < 0)
                return -1;
        if (answer == 0) {
                error_set(err, ERROR_CONFIG, "'%s' is not trusted", file);
                return error_hint(err, "read it, then: machine trust");
        }
        if (trust_give(file, content.buf, content.len, err) < 0)
                return -1;
        if (tree->count == 1)
                event_note(context->events, "'%s' is trusted as it is now", file);
        else
                event_note(context->events, "'%s' is trusted as it is now, with %zu files beside it", file, tree->count - 1);
        return 0;
}

int target_trust(struct context *context, const char *checkout, bool yes, struct error **err)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;

        if (checkout_tree_read(checkout, &tree, err) < 0)
                return -1;
        return ask_trust(context, &tree, yes, err);
}

static int require_trust(struct context *context, const struct checkout_tree *tree, struct error **err)
{
        _cleanup_(freep) char *file = path_join(tree->folder, MACHINE_TOML);
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        const char *beside = tree->count == 1 ? "" : ", or a recipe beside it,";
        enum trust trust;

        checkout_tree_content(tree, &content);
        if (trust_get(file, content.buf, content.len, &trust, err) < 0)
                return -1;
        if (trust == TRUST_GIVEN)
                return 0;
        if (context->mode != OUTPUT_JSON && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
                if (trust == TRUST_CHANGED)
                        event_note(context->events, "'%s'%s changed since it was trusted", file, beside);
                return ask_trust(context, tree, false, err);
        }
        if (trust == TRUST_CHANGED)
                error_set(err, ERROR_CONFIG, "'%s'%s changed since it was trusted", file, beside);
        else
                error_set(err, ERROR_CONFIG, "'%s' is not trusted yet", file);
        return error_hint(err, "read it, then: machine trust --yes");
}

/* One reading serves the question of trust, the configuration and the recipe. */
static int read_checkout(struct context *context, const char *checkout, struct target *target, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *file = path_join(checkout, MACHINE_TOML);
        const struct strbuf *content;

        checkout_tree_clear(&target->tree);
        if (checkout_tree_read(checkout, &target->tree, err) < 0 || require_trust(context, &target->tree, err) < 0)
                return -1;
        content = &target->tree.files[0].content;
        if (checkout_parse(content->buf, content->len, file, checkout, &target->projects, &target->project, err) < 0)
                return -1;
        target->configured = true;
        set_string(&target->name, xstrdup(target->project.name));
        if (!target->project.repos_given && checkout_add_origin(&target->project, err) < 0)
                return -1;
        if (vm_open(&vm, target->name, err) < 0)
                return -1;
        return project_claim_check(&target->project, vm.exists ? vm.record.owner : NULL, &target->projects, err);
}

static char *current_folder(struct error **err)
{
        char *folder = getcwd(NULL, 0);

        if (!folder)
                error_errno(err, ERROR_FAILED, "cannot tell the current folder");
        return folder;
}

static int copy_table(const char *name, struct target *target)
{
        const struct project *found = projects_find(&target->projects, name);

        if (!found)
                return 0;
        project_copy(&target->project, found);
        target->configured = true;
        return 1;
}

static int resolve_bare(struct context *context, struct target *target, struct error **err)
{
        _cleanup_(freep) char *folder = current_folder(err);
        _cleanup_(freep) char *checkout = NULL;

        if (!folder)
                return -1;
        checkout = checkout_find(folder);
        if (checkout)
                return read_checkout(context, checkout, target, err);
        target->name = xstrdup("default");
        if (!copy_table("default", target)) {
                if (project_default(&target->project, "default", &target->projects, err) < 0)
                        return -1;
                target->configured = true;
        }
        return 0;
}

static int no_such(const char *name, const struct target *target, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        const char *near;

        if (vm_list(&names, err) < 0)
                return -1;
        for (size_t i = 0; i < target->projects.count; i++)
                strv_add(&names, target->projects.items[i].name);
        near = text_suggest(name, strv_argv(&names));
        error_set(err, ERROR_NOT_FOUND, "no project or VM '%s'", name);
        if (near)
                return error_hint(err, "did you mean '%s'?", near);
        return error_hint(err, "add [%s] to '%s', or: machine list", name, target->projects.file);
}

static int resolve_named(struct context *context, const char *name, struct target *target, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *checkout = NULL;
        _cleanup_(freep) char *folder = NULL;

        if (!text_name_valid(name)) {
                error_set(err, ERROR_USAGE, "'%s' can't be a project's name", name);
                return error_hint(err, "names have a-z, 0-9 and '-', and start and end with a letter or digit");
        }
        target->name = xstrdup(name);
        if (copy_table(name, target))
                return 0;
        if (vm_open(&vm, name, err) < 0)
                return -1;
        if (vm.exists && *vm.record.owner == '/') {
                _cleanup_(freep) char *file = path_join(vm.record.owner, MACHINE_TOML);

                if (!file_exists(file))
                        return 0;
                if (read_checkout(context, vm.record.owner, target, err) < 0)
                        return -1;
                if (streq(target->name, name))
                        return 0;
                /* The checkout goes by another name today: this VM is what is left of the old one. */
                project_clear(&target->project);
                target->configured = false;
                set_string(&target->name, xstrdup(name));
                return 0;
        }
        if (vm.exists)
                return 0;
        folder = current_folder(err);
        if (!folder)
                return -1;
        checkout = checkout_find(folder);
        if (checkout) {
                if (read_checkout(context, checkout, target, err) < 0)
                        return -1;
                if (streq(target->name, name))
                        return 0;
        }
        return no_such(name, target, err);
}

int target_named(struct context *context, const char *name, struct target *out, struct error **err)
{
        if (projects_read(&out->projects, err) < 0)
                return -1;
        return name ? resolve_named(context, name, out, err) : resolve_bare(context, out, err);
}

int target_wanted(struct context *context, const char *name, struct target *out, struct error **err)
{
        if (target_named(context, name, out, err) < 0)
                return -1;
        if (out->configured)
                return 0;
        error_set(err, ERROR_NOT_FOUND, "VM '%s' is there, but no project says what it should be", out->name);
        return error_hint(err, "add [%s] to '%s'", out->name, out->projects.file);
}
