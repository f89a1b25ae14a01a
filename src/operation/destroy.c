#include "operation/destroy.h"

#include "guest/repos.h"
#include "guest/session.h"
#include "host/ssh_config.h"
#include "lib/file.h"
#include "operation/power.h"

/* Notes in the record that the VM goes. On a disk that is full there is no room for that until the VM's own disk is gone; a run
 * that is killed before leaves a VM without a disk, which the next one removes. */
static int intend(struct vm *vm, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;

        if (vm->record.intent == INTENT_DESTROY || vm_intend(vm, INTENT_DESTROY, &reason) == 0 || error_is_no_room(reason))
                return 0;
        return error_give(err, TAKE_PTR(reason));
}

/* What names the VM elsewhere does no harm once it is gone, so files that can't be changed don't keep it. */
static void withdraw(struct front *front, const struct vm *vm, const char *checkout)
{
        _cleanup_(error_freep) struct error *left = NULL;

        if (ssh_config_withdraw(vm->name, &left) < 0) {
                _cleanup_(freep) char *text = error_text(left);

                event_warning(front->events, "%s", text);
        }
        if (checkout && file_is_folder(checkout) && repos_withdraw(vm, checkout, &left) < 0) {
                _cleanup_(freep) char *text = error_text(left);

                event_warning(front->events, "%s", text);
        }
}

/* A VM that is about to be removed is not asked to shut down: its disk goes with it. */
int destroy_vm(struct front *front, struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *checkout = *vm->record.owner == '/' ? xstrdup(vm->record.owner) : NULL;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        event_begin(front->events, "destroy", "removing VM '%s'", vm->name);
        session_close(vm);
        if (intend(vm, err) < 0)
                goto fail;
        if (vm_state_is_alive(status.state) && vm->engine->kill(vm, err) < 0)
                goto fail;
        if (vm->engine->remove(vm, err) < 0 || intend(vm, err) < 0)
                goto fail;
        withdraw(front, vm, checkout);
        if (vm_forget(vm, err) < 0)
                goto fail;
        event_end(front->events, "destroy", EVENT_DONE, NULL);
        return 0;
fail:
        event_end(front->events, "destroy", EVENT_FAILED, NULL);
        return error_wrap(err, "cannot remove VM '%s'", vm->name);
}

int destroy_check_work(struct front *front, struct vm *vm, struct error **err)
{
        const char *checkout = *vm->record.owner == '/' ? vm->record.owner : NULL;
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *work = NULL;

        /* Before the set-up there was nothing to work in. Once a destroy has begun, the question was answered. */
        if (vm->record.intent == INTENT_CREATE || vm->record.intent == INTENT_DESTROY)
                return 0;
        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (status.state == VM_ABSENT)
                return 0;
        if (power_boot(front, vm, err) < 0 || repos_find_work(vm, checkout, &work, err) < 0) {
                error_wrap(err, "cannot find out whether VM '%s' holds work that is nowhere else", vm->name);
                error_set_kind(err, ERROR_WORK);
                return error_hint(err, "to remove it all the same: --discard-work");
        }
        if (!work)
                return 0;
        error_set(err, ERROR_WORK, "VM '%s' holds work that is nowhere else:\n%s", vm->name, work);
        return error_hint(err, "push it or fetch it (machine ssh %s), or discard it with --discard-work", vm->name);
}
