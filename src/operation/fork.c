#include "operation/fork.h"

#include "config/project.h"
#include "guest/folder.h"
#include "guest/session.h"
#include "host/keys.h"
#include "lib/text.h"
#include "operation/describe.h"
#include "operation/destroy.h"
#include "operation/power.h"
#include "operation/snapshot.h"

#define BRANCH_MS 60000

/* --- the name */

static int check_name(const char *name, struct error **err)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        if (project_check_name(name, "VM", err) < 0 || projects_read_apart(&projects, err) < 0)
                return -1;
        if (!projects_find(&projects, name))
                return 0;
        error_set(err, ERROR_USAGE, "'%s' is a project of '%s'", name, projects.file);
        return error_hint(err, "choose another name for the fork");
}

static int check_free(const struct vm *vm, struct error **err)
{
        if (!vm->exists)
                return 0;
        error_set(err, ERROR_USAGE, "there is a VM '%s' already", vm->name);
        return error_hint(err, "machine destroy %s, or another name", vm->name);
}

int fork_check_name(const char *name, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        return check_name(name, err) < 0 || vm_open(&vm, name, err) < 0 ? -1 : check_free(&vm, err);
}

static int open_new(struct front *front, const char *name, struct vm *out, struct error **err)
{
        if (check_name(name, err) < 0 || vm_open(out, name, err) < 0 || vm_lock(out, front->events, err) < 0)
                return -1;
        return check_free(out, err);
}

/* --- the branch */

int fork_check_branch(const struct vm *source, const char *branch, struct error **err)
{
        if (!branch || source->record.repos.count > 0)
                return 0;
        error_set(err, ERROR_USAGE, "VM '%s' has no repo to make a branch in", source->name);
        return error_hint(err, "leave out --branch");
}

/* git says itself what is wrong with a name. */
static int switch_branch(const struct vm *vm, const char *branch, struct error **err)
{
        static const char script[] = "cd \"$HOME/code/$1\" && git switch --quiet --create \"$2\" 2>&1";
        _cleanup_(freep) char *folder = folder_first(vm);
        const char *const args[] = { folder, branch, NULL };

        if (session_script(&(struct session){ .vm = vm }, script, args, BRANCH_MS, NULL, NULL, NULL, err) < 0)
                return error_wrap(err, "cannot make the branch '%s' in VM '%s'", branch, vm->name);
        return 0;
}

/* --- the fork */

static int begin(struct front *front, const struct vm *source, const char *key, bool race, struct vm *out, struct error **err)
{
        describe_fork(&out->record, &source->record, out->name);
        out->record.race = race;
        out->engine = source->engine;
        if (vm_save(out, err) < 0 || keys_ensure(out->folder, out->name, front->events, err) < 0)
                return -1;
        return out->engine->go_back(out, key, front->events, err);
}

static int complete(struct front *front, struct vm *out, const char *branch, struct error **err)
{
        /* From the second intent on, sessions may use it. */
        if (power_boot(front, out, err) < 0 || vm_intend(out, INTENT_SETUP, err) < 0)
                return -1;
        if (branch && switch_branch(out, branch, err) < 0)
                return -1;
        return vm_intend(out, INTENT_NONE, err) < 0 ? -1 : power_publish(out, err);
}

static int make(struct front *front, const struct vm *source, const char *key, const char *branch, bool race, struct vm *out,
                struct error **err)
{
        event_begin(front->events, "fork", "forking VM '%s' as '%s'", source->name, out->name);
        if (begin(front, source, key, race, out, err) == 0 && complete(front, out, branch, err) == 0) {
                event_end(front->events, "fork", EVENT_DONE, NULL);
                return 0;
        }
        event_end(front->events, "fork", EVENT_FAILED, NULL);
        if (out->exists)
                destroy_vm(front, out, NULL);
        return error_wrap(err, "cannot fork VM '%s'", source->name);
}

int fork_make(struct front *front, const struct vm *source, const char *key, const char *name, const char *branch, bool race,
              struct vm *out, struct error **err)
{
        return open_new(front, name, out, err) < 0 ? -1 : make(front, source, key, branch, race, out, err);
}

int fork_vm(struct front *front, struct vm *source, const char *name, const char *branch, struct vm *out, struct error **err)
{
        _cleanup_(freep) char *whole = xasprintf("fork %s", name);
        _cleanup_(freep) char *key = NULL;
        int made;

        if (fork_check_branch(source, branch, err) < 0 || open_new(front, name, out, err) < 0 ||
            snapshot_take(front, source, whole, true, &key, err) < 0)
                return -1;
        made = make(front, source, key, branch, false, out, err);
        /* Its disk stays, because both stand on it. Its memory is of no more use. */
        source->engine->drop_snapshot(key, NULL);
        return made;
}
