#include "operation/running.h"

#include "operation/power.h"
#include "operation/secrets.h"
#include "operation/target.h"

/* Returns 1 when it runs, with all that it needs, 0 when it has to be started. */
static int is_usable(const struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        struct engine_lost lost;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (!vm_state_is_alive(status.state) || (vm->record.intent != INTENT_NONE && vm->record.intent != INTENT_SETUP))
                return 0;
        if ((status.state != VM_RUNNING && vm_resume(vm, err) < 0) || power_refresh(vm, err) < 0)
                return -1;
        return vm_find_lost(vm, &lost, err) < 0 ? -1 : !lost.now;
}

static int ensure(struct front *front, struct vm *vm, bool *started, struct error **err)
{
        int usable = is_usable(vm, err);

        /* The common case takes no lock: a long `up` of this VM may hold it, and its guest may still be usable. */
        if (usable < 0)
                return -1;
        if (usable > 0) {
                vm_settle_clock(vm, front->events);
                return 0;
        }
        if (vm_lock(vm, front->events, err) < 0)
                return -1;
        if (!vm->exists)
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' was removed by another process", vm->name);
        if (power_start(front, vm, err) < 0)
                return -1;
        lock_release(&vm->lock);
        vm_settle_clock(vm, front->events);
        *started = true;
        return 0;
}

int running_open_by_name(struct front *front, const char *name, struct vm *vm, struct error **err)
{
        bool started;

        return vm_open_existing(vm, name, err) < 0 ? -1 : ensure(front, vm, &started, err);
}

int running_open(struct front *front, const char *name, struct vm *vm, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        bool started = false;

        if (target_existing(front, name, &target, err) < 0 || vm_open_existing(vm, target.name, err) < 0 ||
            ensure(front, vm, &started, err) < 0)
                return -1;
        if (started && !vm->woken && target.configured)
                secrets_bring_softly(front, vm, &target.project);
        if (started && !vm->woken)
                target_warn(front, &target, "its secrets are not loaded");
        if (vm_is_being_made(vm))
                event_warning(front->events, "VM '%s' is still being set up by another 'machine' command", vm->name);
        else if (vm->record.intent == INTENT_SETUP)
                event_warning(front->events, "VM '%s' is only half set up: machine up %s", vm->name, vm->name);
        return 0;
}
