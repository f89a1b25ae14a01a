#include "operation/rename.h"

#include "config/checkout.h"
#include "config/repo-url.h"
#include "guest/repos.h"
#include "guest/session.h"
#include "host/keys.h"
#include "host/paths.h"
#include "host/ssh_config.h"
#include "lib/file.h"
#include "lib/text.h"
#include "operation/power.h"

/* --- may it have the name? */

static int refuse_name(const char *to, const char *why, struct error **err)
{
        error_set(err, ERROR_USAGE, "the name '%s' is taken: %s", to, why);
        return error_hint(err, "choose another name");
}

static bool is_of_projects(const struct vm *vm)
{
        return streq(vm->record.owner, PROJECTS_OWNER);
}

/* Whoever has edited projects.toml first has the new name in it, and no longer the old one. */
static int check_projects(const struct vm *vm, const char *to, const struct projects *projects, struct error **err)
{
        const struct project *other = projects_find(projects, to);
        _cleanup_(freep) char *why = NULL;

        if (!other && (is_of_projects(vm) || !streq(to, PROJECT_DEFAULT_NAME)))
                return 0;
        if (!other)
                return refuse_name(to, "the VM that is used outside of all projects is called so", err);
        if (is_of_projects(vm) && !projects_find(projects, vm->name))
                return 0;
        why = xasprintf("it is another project, in '%s' at line %u", projects->file, other->line);
        return refuse_name(to, why, err);
}

/* --- can it get another? */

static int check_intent(const struct vm *vm, struct error **err)
{
        bool removed = vm->record.intent == INTENT_DESTROY;

        if (!removed && vm->record.intent != INTENT_CREATE)
                return 0;
        error_set(err, ERROR_ENGINE, "VM '%s' is only half %s", vm->name, removed ? "removed" : "made");
        return error_hint(err, "machine %s %s", removed ? "destroy" : "up", vm->name);
}

static int check_state(const struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (!vm_state_is_alive(status.state) && status.state != VM_PARKED)
                return 0;
        error_set(err, ERROR_ENGINE, "VM '%s' is %s, and can get another name only while it is stopped", vm->name,
                  vm_state_name(status.state));
        return error_hint(err, "machine down %s", vm->name);
}

static int check_engine(const struct vm *vm, const char *to, struct error **err)
{
        if (vm->engine->renames)
                return 0;
        error_set(err, ERROR_ENGINE, "engine '%s' can't give VM '%s' another name", vm->engine->name, vm->name);
        return error_hint(err, "take the work along to a new VM: machine destroy %s --save FILE; machine up %s --from FILE",
                          vm->name, to);
}

/* The folder of a checkout's code in the guest is named after the VM when the checkout's own name can't be one. */
static int check_code(const struct vm *vm, const char *to, struct error **err)
{
        _cleanup_(freep) char *has = NULL;
        _cleanup_(freep) char *then = NULL;

        if (is_of_projects(vm))
                return 0;
        has = repo_checkout_name(vm->record.owner, vm->name);
        then = repo_checkout_name(vm->record.owner, to);
        if (streq(has, then))
                return 0;
        error_set(err, ERROR_FAILED, "the code of VM '%s' is in '~/code/%s', which is named after the VM", vm->name, has);
        return error_hint(err, "give the folder '%s' a name of letters and digits, or make a new VM: machine destroy %s",
                          vm->record.owner, vm->name);
}

static int check(const struct vm *vm, const struct vm *place, const struct projects *projects, struct error **err)
{
        if (place->exists)
                return refuse_name(place->name, "there is a VM with it", err);
        if (check_projects(vm, place->name, projects, err) < 0 || check_engine(vm, place->name, err) < 0 ||
            check_intent(vm, err) < 0 || check_state(vm, err) < 0)
                return -1;
        return check_code(vm, place->name, err);
}

/* --- what follows */

static void warn(struct front *front, struct error *error, bool *failed)
{
        _cleanup_(freep) char *text = error_text(error);

        event_warning(front->events, "%s", text);
        error_free(error);
        *failed = true;
}

/* Takes away what still has the old name, unless there is another VM of that name by now. */
static void leave(struct front *front, const char *former, bool *failed)
{
        _cleanup_(freep) char *runtime = paths_runtime(NULL);
        _cleanup_(freep) char *sockets = runtime ? path_join(runtime, former) : NULL;
        _cleanup_(vm_clear) struct vm other = VM_INIT;
        struct error *error = NULL;

        if (vm_open(&other, former, NULL) < 0 || other.exists)
                return;
        if (ssh_config_withdraw(former, &error) < 0)
                warn(front, TAKE_PTR(error), failed);
        if (sockets && file_remove(sockets, &error) < 0)
                warn(front, TAKE_PTR(error), failed);
}

int rename_follow(struct front *front, struct vm *vm, struct error **err)
{
        const char *former = vm->record.former;
        struct error *error = NULL;
        bool failed = false;

        if (!former)
                return 0;
        leave(front, former, &failed);
        if (power_refresh(vm, &error) < 0 || power_publish(vm, &error) < 0)
                warn(front, TAKE_PTR(error), &failed);
        if (!is_of_projects(vm) && repos_rename(vm, vm->record.owner, former, &error) < 0)
                warn(front, TAKE_PTR(error), &failed);
        if (failed)
                return 0;
        set_string(&vm->record.former, NULL);
        return vm_save(vm, err);
}

/* --- what a person has to change */

static void tell_projects(struct front *front, const char *from, const char *to, const struct projects *projects)
{
        const struct project *table = projects_find(projects, from);

        if (table)
                event_warning(front->events,
                              "%s:%u: still calls the project '%s': write [%s], and '%s' in its further tables, or the next "
                              "'machine up %s' makes a new VM",
                              projects->file, table->line, from, to, to, from);
        else if (!projects_find(projects, to))
                event_note(front->events, "no project configures VM '%s': add [%s] to '%s'", to, to, projects->file);
}

static void tell_checkout(struct front *front, const struct vm *vm, const struct projects *projects)
{
        _cleanup_(freep) char *file = path_join(vm->record.owner, CHECKOUT_FILE);
        _cleanup_(project_clear) struct project project = PROJECT_INIT;

        if (!file_exists(file) ||
            (checkout_read(vm->record.owner, projects, &project, NULL) == 0 && streq(project.name, vm->name)))
                return;
        event_warning(front->events, "write name = \"%s\" into '%s', or the next 'machine up' there makes a new VM", vm->name,
                      file);
}

/* --- */

/* Both locks, in one order, so that two renames never wait for each other. */
static int lock_both(struct front *front, struct vm *vm, struct vm *place, struct error **err)
{
        bool first = strcmp(vm->name, place->name) < 0;

        return vm_lock(first ? vm : place, front->events, err) < 0 || vm_lock(first ? place : vm, front->events, err) < 0 ? -1
                                                                                                                          : 0;
}

static int open_both(struct front *front, const char *from, const char *to, struct vm *vm, struct vm *place, struct error **err)
{
        if (project_check_name(to, "project", err) < 0 || vm_open(vm, from, err) < 0 || vm_open(place, to, err) < 0)
                return -1;
        if (streq(from, to))
                return error_set(err, ERROR_USAGE, "VM '%s' has that name already", from);
        return lock_both(front, vm, place, err);
}

/* Has an interrupted call given it the name? */
static bool is_renamed(const struct vm *vm, const struct vm *place)
{
        return !vm->exists && place->exists && streq_ptr(place->record.former, vm->name);
}

static void take(struct vm *vm, struct vm *place)
{
        vm_clear(vm);
        *vm = *place;
        *place = (struct vm)VM_INIT;
}

int rename_vm(struct front *front, const char *from, const char *to, struct vm *vm, struct error **err)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(vm_clear) struct vm place = VM_INIT;

        if (projects_read_apart(&projects, err) < 0 || open_both(front, from, to, vm, &place, err) < 0)
                return -1;
        if (is_renamed(vm, &place)) {
                take(vm, &place);
        } else {
                if (!vm->exists) {
                        error_set(err, ERROR_NOT_FOUND, "no VM '%s'", from);
                        return error_hint(err, "machine list");
                }
                if (check(vm, &place, &projects, err) < 0)
                        return -1;
                session_close(vm);
                if (vm_rename(vm, &place, err) < 0)
                        return error_wrap(err, "cannot rename VM '%s'", from);
        }
        if (rename_follow(front, vm, err) < 0)
                return -1;
        if (is_of_projects(vm))
                tell_projects(front, from, to, &projects);
        else
                tell_checkout(front, vm, &projects);
        return 0;
}
