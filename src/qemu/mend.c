#include "qemu/mend.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/lock.h"
#include "qemu/agent.h"
#include "qemu/engine.h"
#include "qemu/helpers.h"
#include "qemu/socket.h"
#include "vm/console.h"
#include "vm/rules.h"

#define CONNECT_MS 5000
#define QMP_MS     10000

static bool is_kind(const char *path, mode_t kind)
{
        struct stat status;

        return lstat(path, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

int mend_look(const struct runtime *runtime, struct lost *out, struct error **err)
{
        _cleanup_(freep) char *in = agent_pipe_in(runtime->agent);
        _cleanup_(freep) char *answers = agent_pipe_out(runtime->agent);
        int network = lock_is_held(runtime->net_log, err);
        int log = network < 0 ? -1 : lock_is_held(runtime->console_log, err);

        if (log < 0)
                return -1;
        *out = (struct lost){
                .network = !network || !is_kind(runtime->ssh, S_IFSOCK),
                .wire = !is_kind(runtime->frames, S_IFSOCK),
                .log = !log,
                .control = !is_kind(runtime->qmp, S_IFSOCK) || !is_kind(in, S_IFIFO) || !is_kind(answers, S_IFIFO),
        };
        return 0;
}

/*
 * A frame that QEMU could not send when the wire broke keeps the guest's device waiting. QEMU lets go of it when it stops, so
 * it is stopped for an instant. A VM that doesn't run is left as it is.
 */
static void let_go(const struct runtime *runtime)
{
        _cleanup_(json_decrefp) json_t *status = NULL;
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;
        deadline limit = deadline_in(QMP_MS);
        bool runs = false;

        if (qmp_connect(runtime->qmp, limit, &qmp, NULL) == 0 &&
            qmp_call(qmp, "query-status", NULL, limit, &status, NULL) == 0 &&
            json_get_bool(status, "running", &runs, NULL) == 0 && runs && qmp_call(qmp, "stop", NULL, limit, NULL, NULL) == 0)
                qmp_call(qmp, "cont", NULL, limit, NULL, NULL);
}

/* Another machine-net on QEMU's listening socket. QEMU drops what the guest sends until then, and nobody but machine-net ever
 * connects there, so nothing leaves that no rule has judged. Returns 1 when QEMU can't be connected to. */
static int restart_network(const struct vm *vm, const struct runtime *runtime, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(closep) int frames = -1;
        pid_t pid;

        if (runtime_end_net(runtime, 0, err) < 0)
                return -1;
        if (socket_connect(runtime->frames, deadline_in(CONNECT_MS), &frames, &reason) < 0) {
                if (reason->kind == ERROR_NOT_FOUND)
                        return 1;
                if (err)
                        *err = TAKE_PTR(reason);
                return -1;
        }
        if (rules_write(vm, err) < 0 || helpers_start_network(vm, runtime, frames, NETWORK_GOES_ON, &pid, err) < 0)
                return -1;
        let_go(runtime);
        return 0;
}

/* What was logged until now becomes console.log.1 and qemu.log.1. */
static int restart_log(const struct runtime *runtime, struct error **err)
{
        pid_t pid;

        if (console_rotate(runtime->console_log, err) < 0 || console_rotate(runtime->qemu_log, err) < 0)
                return -1;
        return helpers_start_log(runtime, &pid, err);
}

static int mend_network(const struct vm *vm, const struct runtime *runtime, struct event_sink *events, struct error **err)
{
        int restarted = restart_network(vm, runtime, err);

        if (restarted < 0)
                return error_wrap(err, "the network of VM '%s' can't be started again", vm->name);
        if (restarted > 0)
                event_warning(events,
                              "VM '%s' had lost its network, which only a restart brings back: it is stopped and started",
                              vm->name);
        else
                event_warning(
                        events,
                        "VM '%s' had lost its network: it has it again, and connections that were open in the guest have ended",
                        vm->name);
        return restarted;
}

int mend(const struct vm *vm, const struct runtime *runtime, struct event_sink *events, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        struct lost lost;

        if (mend_look(runtime, &lost, err) < 0)
                return -1;
        if (lost.log && restart_log(runtime, &reason) < 0) {
                _cleanup_(freep) char *text = error_text(reason);

                event_warning(events, "the console of VM '%s' is not logged until its next start: %s", vm->name, text);
        } else if (lost.log) {
                event_warning(events, "the process that logs the console of VM '%s' had ended: it runs again", vm->name);
        }
        return lost.network ? mend_network(vm, runtime, events, err) : 0;
}

int engine_lost(const struct vm *vm, struct engine_lost *out, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        struct lost lost;

        if (runtime_find(vm, &runtime, err) < 0 || mend_look(&runtime, &lost, err) < 0)
                return -1;
        *out = (struct engine_lost){
                .now = lost.network ? "its network"
                       : lost.log   ? "the log of its console"
                                    : NULL,
                .later = lost.control ? "a socket that it is controlled by"
                         : lost.wire  ? "the socket that its network would be started again by"
                                      : NULL,
        };
        return 0;
}
