#include "command/wake.h"

#include "command/lifecycle.h"
#include "command/secrets-load.h"

static int wake_open(struct context *context, struct vm *vm, bool *started, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        /* The common case takes no lock: a long `up` of this VM may hold it, and its guest may still be worth a session. */
        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (status.state == VM_RUNNING && (vm->record.intent == INTENT_NONE || vm->record.intent == INTENT_SETUP))
                return 0;
        if (vm_lock(vm, context->events, err) < 0)
                return -1;
        if (!vm->exists)
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' was removed by another process", vm->name);
        if (lifecycle_start(context, vm, err) < 0)
                return -1;
        lock_release(&vm->lock);
        *started = true;
        return 0;
}

int wake_named(struct context *context, const char *name, struct vm *vm, struct error **err)
{
        bool started;

        return vm_open_existing(vm, name, err) < 0 ? -1 : wake_open(context, vm, &started, err);
}

int wake(struct context *context, const char *name, struct vm *vm, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        bool started = false;

        if (target_named(context, name, &target, err) < 0 || vm_open_existing(vm, target.name, err) < 0 ||
            wake_open(context, vm, &started, err) < 0)
                return -1;
        if (started && target.configured)
                secrets_bring_softly(context, vm, &target.project);
        if (vm->record.intent == INTENT_SETUP)
                event_warning(context->events, "VM '%s' is only half set up: machine up %s", vm->name, vm->name);
        return 0;
}
