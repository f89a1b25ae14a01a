#include <sys/types.h>

#include "qemu/engine.h"
#include "qemu/holder.h"
#include "qemu/runtime.h"
#include "qemu/socket.h"
#include "vm/network.h"

#define LOOK_MS 5000

int engine_refused(const struct vm *vm, const char *address, uint16_t port, char **reason, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;

        runtime_find_files(vm, &runtime);
        return network_refused(runtime.net_log, address, port, reason, err);
}

/* Adds machine-log, which holds a lock on the console's log. It may be missing: the guest runs without it. */
static int add_log(const struct runtime *runtime, struct engine_processes *out, struct error **err)
{
        pid_t pid;
        int found = holder_find(runtime->console_log, &pid, err);

        if (found > 0)
                out->items[out->count++] = (struct engine_process){ .pid = pid, .role = "machine-log" };
        return found < 0 ? -1 : 0;
}

/* The process that listens is the worker; its parent is the supervisor. */
int engine_processes(const struct vm *vm, struct engine_processes *out, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(closep) int worker_fd = -1;
        pid_t qemu;
        pid_t worker;
        int found;

        if (runtime_find(vm, &runtime, err) < 0)
                return -1;
        found = holder_find(runtime.lock, &qemu, err);
        if (found < 0 || socket_listener(runtime.ssh, deadline_in(LOOK_MS), &worker_fd, &worker, err) < 0)
                return -1;
        if (found == 0)
                return error_set(err, ERROR_ENGINE, "cannot find the QEMU of VM '%s'", vm->name);
        *out = (struct engine_processes){
                .items = {
                        { .pid = qemu, .role = "QEMU", .guest = true },
                        { .pid = worker, .role = "machine-net" },
                        { .pid = holder_parent(worker), .role = "machine-net's supervisor" },
                },
                .count = 3,
        };
        return add_log(&runtime, out, err);
}
