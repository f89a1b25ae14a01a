#include <sys/types.h>

#include "engine.h"
#include "holder.h"
#include "lib/file.h"
#include "lib/text.h"
#include "runtime.h"
#include "socket.h"
#include "vm/network.h"

#define LOOK_MS      5000
#define STATUS_LIMIT (1 << 20)

/* 0 = unknown. Source: proc(5), /proc/PID/status. */
static pid_t parent_of(pid_t pid)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%d/status", (int)pid);
        _cleanup_(strbuf_clear) struct strbuf status = STRBUF_INIT;
        const char *line = file_read(path, STATUS_LIMIT, &status, NULL) == 0 ? strstr(status.buf, "\nPPid:") : NULL;
        int parent;

        /* NOLINTNEXTLINE(cert-err34-c): the kernel's own number */
        return line && sscanf(line, " PPid: %d", &parent) == 1 ? parent : 0;
}

int engine_refused(const struct vm *vm, const char *address, uint16_t port, char **reason, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;

        runtime_find_files(vm, &runtime);
        return network_refused(runtime.net_log, address, port, reason, err);
}

/* The worker is who listens, and its parent the supervisor. */
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
                return error_set(err, ERROR_ENGINE, "the QEMU of VM '%s' can't be seen", vm->name);
        *out = (struct engine_processes){
                .items = {
                        { .pid = qemu, .role = "QEMU", .guest = true },
                        { .pid = worker, .role = "machine-net" },
                        { .pid = parent_of(worker), .role = "machine-net's supervisor" },
                },
                .count = 3,
        };
        return 0;
}
