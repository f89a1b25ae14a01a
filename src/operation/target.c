#include "operation/target.h"
#include "config/checkout.h"

#include <errno.h>
#include <unistd.h>

#include "config/trust.h"
#include "lib/event.h"
#include "lib/file.h"
#include "lib/text.h"
#include "operation/starter.h"

void target_clear(struct target *target)
{
        free(target->name);
        free(target->again);
        free(target->renamed);
        project_clear(&target->project);
        projects_clear(&target->projects);
        checkout_tree_clear(&target->tree);
        error_free(target->trouble);
        *target = (struct target)TARGET_INIT;
}

static int require_trust(struct front *front, const struct checkout_tree *tree, struct error **err)
{
        _cleanup_(freep) char *file = path_join(tree->folder, CHECKOUT_FILE);
        const char *beside = tree->count == 1 ? "" : ", or a recipe beside it,";
        _cleanup_(freep) char *command = NULL;
        enum trust trust;
        int asked;

        if (checkout_tree_trust(tree, &trust, err) < 0)
                return -1;
        if (trust == TRUST_GIVEN)
                return 0;
        command = checkout_trust_command(tree->folder);
        asked = front->ask_trust ? front->ask_trust(front, tree, trust == TRUST_CHANGED, err) : 0;
        if (asked != 0)
                return asked < 0 ? -1 : 0;
        if (trust == TRUST_CHANGED)
                error_set(err, ERROR_CONFIG, "'%s'%s changed since it was trusted", file, beside);
        else
                error_set(err, ERROR_CONFIG, "'%s' is not trusted yet", file);
        return error_hint(err, "read it, then: %s", command);
}

/* The files are read only once, for the question of trust, the configuration and the recipe. */
static int read_checkout(struct front *front, const char *checkout, struct target *target, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *file = path_join(checkout, CHECKOUT_FILE);
        const struct strbuf *content;

        checkout_tree_clear(&target->tree);
        if (checkout_tree_read(checkout, &target->tree, err) < 0 || require_trust(front, &target->tree, err) < 0)
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

/* 1 = there is such a table, 0 = there is none, -1 = it has mistakes. */
static int copy_table(const char *name, struct target *target, struct error **err)
{
        for (size_t i = 0; i < target->projects.count; i++) {
                struct project *project = &target->projects.items[i];

                if (!streq(project->name, name))
                        continue;
                if (project->mistakes)
                        return error_give(err, TAKE_PTR(project->mistakes));
                project_copy(&target->project, project);
                target->configured = true;
                return 1;
        }
        return 0;
}

/* The project that is there without a table: for what belongs to no other. */
static int use_default(struct target *target, struct error **err)
{
        int found = copy_table(PROJECT_DEFAULT_NAME, target, err);

        set_string(&target->name, xstrdup(PROJECT_DEFAULT_NAME));
        if (found != 0)
                return found < 0 ? -1 : 0;
        if (project_default(&target->project, PROJECT_DEFAULT_NAME, &target->projects, err) < 0)
                return -1;
        target->configured = true;
        return 0;
}

static int resolve_bare(struct front *front, struct target *target, struct error **err)
{
        _cleanup_(freep) char *folder = current_folder(err);
        _cleanup_(freep) char *checkout = NULL;

        if (!folder)
                return -1;
        checkout = checkout_find(folder);
        return checkout ? read_checkout(front, checkout, target, err) : use_default(target, err);
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

static int resolve_named(struct front *front, const char *name, struct target *target, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *checkout = NULL;
        _cleanup_(freep) char *folder = NULL;
        int found;

        if (project_check_name(name, "project", err) < 0)
                return -1;
        if (streq(name, PROJECT_DEFAULT_NAME))
                return use_default(target, err);
        target->name = xstrdup(name);
        found = copy_table(name, target, err);
        if (found != 0)
                return found < 0 ? -1 : 0;
        if (vm_open(&vm, name, err) < 0)
                return -1;
        if (vm.exists && *vm.record.owner == '/') {
                _cleanup_(freep) char *file = path_join(vm.record.owner, CHECKOUT_FILE);

                if (!file_exists(file))
                        return 0;
                if (read_checkout(front, vm.record.owner, target, err) < 0)
                        return -1;
                if (streq(target->name, name))
                        return 0;
                /* The checkout has another name by now, and this VM is left over from the old one. */
                set_string(&target->renamed, target->name);
                target->name = NULL;
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
                if (read_checkout(front, checkout, target, err) < 0)
                        return -1;
                if (streq(target->name, name))
                        return 0;
        }
        return no_such(name, target, err);
}

/* A VM that was made from a checkout is configured there, and not in projects.toml. */
static int not_configured_by(const char *checkout, const struct target *target, struct error **err)
{
        _cleanup_(freep) char *file = path_join(checkout, CHECKOUT_FILE);
        _cleanup_(vm_clear) struct vm other = VM_INIT;

        if (!target->renamed) {
                error_set(err, ERROR_NOT_FOUND, "VM '%s' was made from '%s', which is gone", target->name, file);
                return error_hint(err, "put it back; or, if the VM isn't needed any more: machine destroy %s", target->name);
        }
        error_set(err, ERROR_NOT_FOUND, "VM '%s' was made from '%s', which names the project '%s' now", target->name, file,
                  target->renamed);
        if (vm_open(&other, target->renamed, NULL) == 0 && !other.exists)
                return error_hint(err, "machine rename %s %s", target->name, target->renamed);
        return error_hint(err, "VM '%s' is that project's; if this one isn't needed any more: machine destroy %s",
                          target->renamed, target->name);
}

static int not_configured(const struct target *target, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (vm_open(&vm, target->name, NULL) == 0 && vm.exists && *vm.record.owner == '/')
                return not_configured_by(vm.record.owner, target, err);
        error_set(err, ERROR_NOT_FOUND, "VM '%s' exists, but no project configures it", target->name);
        return error_hint(err, "add [%s] to '%s'", target->name, target->projects.file);
}

/* projects.toml has been read. */
static int resolve(struct front *front, const char *name, struct target *target, struct error **err)
{
        return name ? resolve_named(front, name, target, err) : resolve_bare(front, target, err);
}

static int resolve_wanted(struct front *front, const char *name, struct target *target, struct error **err)
{
        if (resolve(front, name, target, err) < 0)
                return -1;
        projects_warn(&target->projects, target->name, front->events);
        return target->configured ? 0 : not_configured(target, err);
}

int target_named(struct front *front, const char *name, struct target *out, struct error **err)
{
        return projects_read_apart(&out->projects, err) < 0 ? -1 : resolve(front, name, out, err);
}

int target_wanted(struct front *front, const char *name, struct target *out, struct error **err)
{
        return projects_read_apart(&out->projects, err) < 0 ? -1 : resolve_wanted(front, name, out, err);
}

/* --- a checkout without a project */

/* Is the VM in use that has no checkout's code? Then a bare `up` means that one. */
static bool has_default(const struct projects *projects)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        return projects_find(projects, PROJECT_DEFAULT_NAME) || vm_open(&vm, PROJECT_DEFAULT_NAME, NULL) < 0 || vm.exists;
}

static int offer(struct front *front, const struct projects *projects, struct error **err)
{
        _cleanup_(starter_clear) struct starter starter = STARTER_INIT;
        _cleanup_(freep) char *folder = current_folder(err);
        int found = folder ? starter_find(folder, projects, &starter, err) : -1;

        if (found <= 0 || starter.is_there)
                return found < 0 ? -1 : 0;
        if (has_default(projects)) {
                event_note(front->events,
                           "VM 'default' is used, which has none of the code in '%s': machine init gives that a VM",
                           starter.folder);
                return 0;
        }
        found = front->offer_project ? front->offer_project(front, &starter, err) : 0;
        if (found != 0)
                return found < 0 ? -1 : 0;
        error_set(err, ERROR_NOT_FOUND, "'%s' has no " CHECKOUT_FILE ", so it is not a project yet", starter.folder);
        return error_hint(err, "machine init writes one; machine up default makes a VM that has none of this code");
}

int target_for_up(struct front *front, const char *name, struct target *out, struct error **err)
{
        if (projects_read_apart(&out->projects, err) < 0 || (!name && offer(front, &out->projects, err) < 0))
                return -1;
        return resolve_wanted(front, name, out, err);
}

/* --- by the record */

/* The only VM that was made from this checkout. Owned by the caller; NULL = there is none, or more than one. */
static char *find_by_owner(const char *checkout)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *found = NULL;

        if (vm_list(&names, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(vm_clear) struct vm vm = VM_INIT;

                if (vm_open(&vm, names.items[i], NULL) < 0 || !vm.exists || !streq(vm.record.owner, checkout))
                        continue;
                if (found)
                        return NULL;
                found = xstrdup(names.items[i]);
        }
        return TAKE_PTR(found);
}

/* The name of the VM that is meant, without looking at any configuration. Owned by the caller; NULL = that doesn't tell. */
static char *find_recorded(const char *name)
{
        _cleanup_(freep) char *folder = name ? NULL : current_folder(NULL);
        _cleanup_(freep) char *checkout = folder ? checkout_find(folder) : NULL;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (checkout)
                return find_by_owner(checkout);
        if (!name)
                name = PROJECT_DEFAULT_NAME;
        return vm_list(&names, NULL) == 0 && strv_contains(&names, name) ? xstrdup(name) : NULL;
}

int target_existing(struct front *front, const char *name, struct target *out, struct error **err)
{
        _cleanup_(error_freep) struct error *trouble = NULL;
        _cleanup_(freep) char *recorded = find_recorded(name);
        struct front silent = { .events = front->events };

        if (!recorded)
                return target_named(front, name, out, err);
        if (target_named(&silent, name, out, &trouble) == 0)
                return 0;
        target_clear(out);
        out->name = TAKE_PTR(recorded);
        out->trouble = TAKE_PTR(trouble);
        return 0;
}

void target_warn(struct front *front, const struct target *target, const char *consequence)
{
        _cleanup_(freep) char *text = target->trouble ? error_placed_text(target->trouble) : NULL;
        const char *hint = target->trouble ? target->trouble->hint : NULL;

        if (text)
                event_warning(front->events, "the configuration of VM '%s' can't be used, so %s: %s%s%s", target->name,
                              consequence, text, hint ? ": " : "", hint ? hint : "");
}

int target_open_locked(struct front *front, const char *name, struct target *target, struct vm *vm, struct error **err)
{
        if (target_existing(front, name, target, err) < 0 || vm_open_existing(vm, target->name, err) < 0 ||
            vm_lock(vm, front->events, err) < 0)
                return -1;
        if (!vm->exists)
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' was removed by another process", vm->name);
        return target->configured ? project_claim_check(&target->project, vm->record.owner, &target->projects, err) : 0;
}
