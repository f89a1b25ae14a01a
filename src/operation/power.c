#include "operation/power.h"

#include "guest/session.h"
#include "host/keys.h"
#include "host/paths.h"
#include "host/ssh_config.h"
#include "lib/os.h"
#include "operation/budget.h"
#include "operation/idle.h"

static int ssh_host_of(const struct vm *vm, struct ssh_host *host, char **program, struct error **err)
{
        *program = os_program_path(err);
        if (!*program)
                return -1;
        *host = (struct ssh_host){
                .name = vm->name,
                .folder = vm->folder,
                .user = vm->record.user,
                .program = *program,
                /* The user's own ssh would lend all keys for every host, without asking. */
                .forward_agent = vm->record.forward_agent && !vm->record.confirm && vm_record_keys(&vm->record)->count == 0 &&
                                 vm->record.key_hosts.count == 0,
        };
        return 0;
}

static int write_ssh_config(const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *control = paths_socket(vm->name, "master", err);
        _cleanup_(freep) char *program = NULL;
        struct ssh_host host;

        if (!control || ssh_host_of(vm, &host, &program, err) < 0)
                return -1;
        return ssh_config_write_own(&host, control, err);
}

int power_publish(const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *program = NULL;
        struct ssh_host host;

        if (ssh_host_of(vm, &host, &program, err) < 0)
                return -1;
        return ssh_config_publish(&host, err);
}

int power_refresh(const struct vm *vm, struct error **err)
{
        if (write_ssh_config(vm, err) < 0)
                return -1;
        /* When the key that is to be pinned is damaged, the one that was pinned may still do. */
        keys_pin(vm->folder, vm->name, NULL);
        return 0;
}

int power_boot(struct front *front, struct vm *vm, struct error **err)
{
        /* First, because nothing can be written to a disk that is full. */
        if (vm_resume(vm, err) < 0 || write_ssh_config(vm, err) < 0)
                return -1;
        /* A guest that runs has the keys that it was started with. */
        if (!vm_runs(vm) && keys_ensure(vm->folder, vm->name, front->events, err) < 0)
                return -1;
        if (!vm_runs(vm))
                budget_make_room(front, vm);
        return vm->engine->start(vm, front->events, err);
}

int power_start(struct front *front, struct vm *vm, struct error **err)
{
        if (vm->record.intent == INTENT_CREATE || vm->record.intent == INTENT_DESTROY) {
                error_set(err, ERROR_ENGINE, "VM '%s' is only half %s", vm->name,
                          vm->record.intent == INTENT_CREATE ? "made" : "removed");
                return error_hint(err, "machine %s %s", vm->record.intent == INTENT_CREATE ? "up" : "destroy", vm->name);
        }
        if (power_boot(front, vm, err) == 0)
                return 0;
        _cleanup_(freep) char *again = xasprintf("machine up %s", vm->name);

        return error_again(err, again);
}

int power_park(struct front *front, struct vm *vm, bool *was_running, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        *was_running = vm_state_is_alive(status.state);
        if (!*was_running)
                return 0;
        if (!vm->engine->park) {
                error_set(err, ERROR_ENGINE, "engine '%s' can't park VM '%s'", vm->engine->name, vm->name);
                return error_hint(err, "machine down %s", vm->name);
        }
        /* A guest that waits for something has to go on before it can be saved. */
        return vm_resume(vm, err) < 0 ? -1 : vm->engine->park(vm, front->events, err);
}

int power_park_idle(struct front *front, struct vm *vm, int64_t after_ms, bool *parked, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        int64_t idle;
        int locked;

        *parked = false;
        if (!vm->engine->park || vm->record.intent != INTENT_NONE)
                return 0;
        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (status.state != VM_RUNNING)
                return 0;
        idle = idle_look(vm, err);
        if (idle < after_ms)
                return idle < 0 ? -1 : 0;
        locked = vm_try_lock(vm, front->events, err);
        if (locked <= 0 || !vm->exists)
                return locked < 0 ? -1 : 0;
        return power_park(front, vm, parked, err);
}

int power_wake(struct front *front, struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        return status.state == VM_PARKED ? power_start(front, vm, err) : 0;
}

int power_stop(struct front *front, struct vm *vm, bool *was_running, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (was_running)
                *was_running = vm_state_is_alive(status.state) || status.state == VM_PARKED;
        /* So that its guest writes to its disk what it has only in its memory. */
        if (status.state == VM_PARKED && (power_boot(front, vm, err) < 0 || vm_inspect(vm, &status, err) < 0))
                return -1;
        /* Before the sessions are ended: a guest that waits is not stopped, and they go on with it. */
        if (status.waits && vm_resume(vm, err) < 0)
                return -1;
        session_close(vm);
        if (!vm_state_is_alive(status.state))
                return 0;
        return vm->engine->stop(vm, front->events, err);
}
