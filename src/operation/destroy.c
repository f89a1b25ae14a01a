#include "operation/destroy.h"

#include "guest/archive.h"
#include "guest/repos.h"
#include "guest/session.h"
#include "host/ssh_config.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/text.h"
#include "operation/power.h"
#include "operation/snapshot.h"

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

/* What is left of a run that did not come to its end is not somebody's VM. */
static const char *doing(const struct vm *vm)
{
        if (vm->record.intent == INTENT_CREATE)
                return "clearing away the unfinished VM";
        return vm->record.intent == INTENT_DESTROY ? "finishing the removal of VM" : "removing VM";
}

/* A VM that is about to be removed is not asked to shut down: its disk goes with it. */
int destroy_vm(struct front *front, struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *checkout = *vm->record.owner == '/' ? xstrdup(vm->record.owner) : NULL;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        event_begin(front->events, "destroy", "%s '%s'", doing(vm), vm->name);
        session_close(vm);
        if (intend(vm, err) < 0)
                goto fail;
        if ((vm_state_is_alive(status.state) || status.state == VM_PARKED) && vm->engine->kill(vm, err) < 0)
                goto fail;
        if (vm->engine->remove(vm, err) < 0 || intend(vm, err) < 0 || snapshots_drop_all(vm, err) < 0)
                goto fail;
        withdraw(front, vm, checkout);
        if (vm_forget(vm, err) < 0)
                goto fail;
        snapshots_sweep(NULL);
        event_end(front->events, "destroy", EVENT_DONE, NULL);
        return 0;
fail:
        event_end(front->events, "destroy", EVENT_FAILED, NULL);
        return error_wrap(err, "cannot remove VM '%s'", vm->name);
}

/* Before the set-up there was nothing to work in. Once a destroy has begun, the question was answered. */
static bool can_hold_work(const struct vm *vm)
{
        return vm->record.intent != INTENT_CREATE && vm->record.intent != INTENT_DESTROY;
}

int destroy_check_work(struct front *front, struct vm *vm, struct work *found, struct error **err)
{
        const char *checkout = vm_record_checkout(&vm->record);
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *text = NULL;

        if (!can_hold_work(vm))
                return 0;
        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (status.state == VM_ABSENT)
                return 0;
        if (power_boot(front, vm, err) < 0 || repos_find_work(vm, checkout, found, err) < 0) {
                error_wrap(err, "cannot find out whether VM '%s' holds work that is nowhere else", vm->name);
                error_set_kind(err, ERROR_WORK);
                return error_hint(err,
                                  "to see what is wrong: machine up %s; if nothing in the VM is needed, add --discard-work",
                                  vm->name);
        }
        if (!work_any(found))
                return 0;
        text = work_text(found);
        return error_set(err, ERROR_WORK, "VM '%s' holds work that is nowhere else:\n%s", vm->name, text);
}

/* Ctrl-C ends the saving, and leaves nothing of it. */
int destroy_save_work(struct front *front, struct vm *vm, const char *path, struct error **err)
{
        _cleanup_(freep) char *size = NULL;
        int64_t bytes;

        if (!can_hold_work(vm)) {
                event_note(front->events, "VM '%s' was not complete, so there is nothing to save", vm->name);
                return 0;
        }
        if (power_boot(front, vm, err) < 0)
                return -1;
        event_begin(front->events, "save", "saving the work of VM '%s'", vm->name);
        if (archive_save(vm, path, &bytes, err) < 0 || interrupt_check(err) < 0) {
                event_end(front->events, "save", EVENT_FAILED, NULL);
                return -1;
        }
        event_end(front->events, "save", EVENT_DONE, NULL);
        size = text_format_size(bytes);
        event_note(front->events, "the work of VM '%s' is in '%s' (%s): machine up --from brings it back", vm->name, path,
                   size);
        return 0;
}
