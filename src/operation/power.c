#include "operation/power.h"

#include "guest/session.h"
#include "host/keys.h"
#include "host/paths.h"
#include "host/ssh_config.h"
#include "lib/os.h"

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

int power_stop(struct front *front, struct vm *vm, bool *was_running, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (was_running)
                *was_running = vm_state_is_alive(status.state);
        /* Before the sessions are ended: a guest that waits is not stopped, and they go on with it. */
        if (status.waits && vm_resume(vm, err) < 0)
                return -1;
        session_close(vm);
        if (!vm_state_is_alive(status.state))
                return 0;
        return vm->engine->stop(vm, front->events, err);
}
