#include "qemu/park.h"

#include <errno.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/os.h"
#include "qemu/agent.h"
#include "qemu/engine.h"
#include "qemu/moment.h"
#include "qemu/net-control.h"
#include "qemu/restore.h"
#include "qemu/socket.h"

#define QMP_MS     30000
#define QUIT_MS    30000
#define NET_MS     10000
#define CONNECT_MS 5000
#define SYNC_MS    5000 /* how long the guest may do nothing while it writes out its files */

static char *begun_name(const struct runtime *runtime)
{
        return xasprintf("%s.begun", runtime->parked);
}

static bool has_begun(const struct runtime *runtime)
{
        _cleanup_(freep) char *begun = begun_name(runtime);

        return file_exists(begun);
}

bool park_is_due(const struct runtime *runtime)
{
        return file_exists(runtime->parked) || has_begun(runtime);
}

bool park_has_key(const struct runtime *runtime)
{
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;

        return moment_open(runtime->parked, &moment, NULL) == 0 && moment_has_key(&moment, NULL) > 0;
}

int park_spend(const struct runtime *runtime, struct error **err)
{
        _cleanup_(freep) char *begun = begun_name(runtime);

        if (!file_exists(runtime->parked))
                return 0;
        return moment_forget(begun, err) < 0 ? -1 : file_rename(runtime->parked, begun, err);
}

int park_forget_saved(const struct runtime *runtime, struct error **err)
{
        _cleanup_(freep) char *begun = begun_name(runtime);

        return moment_forget(runtime->parked, err) < 0 ? -1 : moment_forget(begun, err);
}

int park_forget(const struct runtime *runtime, struct error **err)
{
        return park_forget_saved(runtime, err) < 0 ? -1 : runtime_end_net(runtime, 0, err);
}

/* --- the network */

/* Makes machine-net keep the guest's connections while there is no QEMU. Returns 0 when it can't. */
static int hold_network(const struct runtime *runtime, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        struct net_reply reply;

        if (net_control_call(runtime->control, "hold", -1, deadline_in(NET_MS), &reply, &reason) == 0)
                return 1;
        return reason->kind == ERROR_NOT_FOUND ? 0 : error_give(err, TAKE_PTR(reason));
}

int park_release_network(const struct runtime *runtime, int wire, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        struct net_reply reply;

        if (net_control_call(runtime->control, "go", wire, deadline_in(NET_MS), &reply, &reason) == 0 ||
            reason->kind == ERROR_NOT_FOUND)
                return 0;
        return error_give(err, TAKE_PTR(reason));
}

/* --- what a killed run left */

static int query_run(struct qmp *qmp, json_t **reply, const char **run, struct error **err)
{
        return qmp_call(qmp, "query-status", NULL, deadline_in(QMP_MS), reply, err) < 0
                       ? -1
                       : json_get_string(*reply, "status", run, err);
}

/* Is what was saved another VM's guest, which is to become this one's? */
static bool is_others(const struct vm *vm, const struct runtime *runtime)
{
        _cleanup_(freep) char *begun = begun_name(runtime);
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;

        return (moment_open(runtime->parked, &moment, NULL) == 0 || moment_open(begun, &moment, NULL) == 0) &&
               !streq(moment.uuid, vm->record.uuid);
}

/* One that was about to be parked has its wire still. QEMU takes the new one when that ends. */
static int settle_network(const struct runtime *runtime, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(closep) int wire = -1;
        struct net_reply reply;

        if (net_control_call(runtime->control, "look", -1, deadline_in(NET_MS), &reply, &reason) < 0)
                return reason->kind == ERROR_NOT_FOUND ? 0 : error_give(err, TAKE_PTR(reason));
        if (!reply.held)
                return 0;
        if (socket_connect(runtime->frames, deadline_in(CONNECT_MS), &wire, err) < 0)
                return -1;
        return park_release_network(runtime, wire, err);
}

int park_settle(const struct vm *vm, const struct runtime *runtime, struct error **err)
{
        _cleanup_(json_decrefp) json_t *reply = NULL;
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;
        const char *run;

        if (is_others(vm, runtime))
                return runtime_kill(runtime, err);
        if (runtime_qmp(runtime, -1, deadline_in(QMP_MS), &qmp, err) < 0 || query_run(qmp, &reply, &run, err) < 0)
                return -1;
        if (streq(run, "inmigrate"))
                return runtime_kill(runtime, err);
        if (park_spend(runtime, err) < 0 || qmp_call(qmp, "cont", NULL, deadline_in(QMP_MS), NULL, err) < 0 ||
            settle_network(runtime, err) < 0 || park_forget_saved(runtime, err) < 0)
                return error_wrap(err, "cannot let VM '%s' go on", vm->name);
        return 1;
}

/* --- parking */

static int refuse(const struct vm *vm, const char *why, struct error **err)
{
        return error_set(err, ERROR_ENGINE, "VM '%s' can't be parked: %s", vm->name, why);
}

static int check(const struct vm *vm, const struct runtime *runtime, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (engine_inspect(vm, &status, err) < 0)
                return -1;
        if (status.state != VM_RUNNING)
                return vm_refuse_state(vm, &status, err);
        if (restore_is_due(runtime) || !file_exists(runtime->ready)) {
                refuse(vm, "it is still being started", err);
                return error_hint(err, "machine up %s", vm->name);
        }
        return 0;
}

/* If the memory is lost, the disk has what was written until now. A guest that can't do that is parked all the same. */
static void sync_guest(const struct runtime *runtime)
{
        static const char *const argv[] = { "/usr/bin/sync", NULL };
        _cleanup_(agent_freep) struct agent *agent = NULL;

        if (!file_exists(runtime->silent) && agent_connect(runtime->agent, deadline_in(SYNC_MS), &agent, NULL) == 0)
                agent_run(agent, argv, NULL, runtime_qemu(runtime), SYNC_MS, NULL);
}

static int go_on(const struct runtime *runtime, struct qmp *qmp)
{
        int runs = qmp_call(qmp, "cont", NULL, deadline_in(QMP_MS), NULL, NULL);

        return park_release_network(runtime, -1, NULL) < 0 || runs < 0 ? -1 : park_forget_saved(runtime, NULL);
}

/* Ends a QEMU whose guest is saved. It has written everything: "stop" sees to that. */
static int quit(const struct runtime *runtime, struct qmp *qmp, struct error **err)
{
        _cleanup_(closep) int process_fd = -1;

        if (runtime_process(runtime, &process_fd, err) < 0)
                return -1;
        qmp_call(qmp, "quit", NULL, deadline_in(QMP_MS), NULL, NULL);
        interrupt_hold();
        int ended = runtime_wait_end(runtime, process_fd, deadline_in(QUIT_MS), err);
        interrupt_go_on();
        return ended > 0 ? 0 : runtime_kill(runtime, err);
}

/* The guest stands still from here on. */
static int save(const struct vm *vm, const struct runtime *runtime, struct qmp *qmp, const char *begun, bool *held,
                struct error **err)
{
        int holds = hold_network(runtime, err);

        if (holds < 0)
                return -1;
        *held = holds > 0;
        if (moment_save(vm, runtime, qmp, begun, err) < 0 || interrupt_check(err) < 0)
                return -1;
        return rename(begun, runtime->parked) < 0 ? error_errno(err, ERROR_FAILED, "cannot rename '%s'", begun) : 0;
}

static int park(const struct vm *vm, const struct runtime *runtime, bool *held, struct error **err)
{
        _cleanup_(freep) char *begun = begun_name(runtime);
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;

        if (runtime_qmp(runtime, -1, deadline_in(QMP_MS), &qmp, err) < 0)
                return -1;
        /* It is there before the guest stops, so that nobody else lets the guest go on. */
        if (file_make_private_folder(begun, err) < 0)
                return -1;
        if (qmp_call(qmp, "stop", NULL, deadline_in(QMP_MS), NULL, err) < 0 || save(vm, runtime, qmp, begun, held, err) < 0) {
                if (go_on(runtime, qmp) < 0)
                        error_hint(err, "machine up %s", vm->name);
                return -1;
        }
        return quit(runtime, qmp, err);
}

static int clear_up(const struct runtime *runtime, struct error **err)
{
        return file_remove(runtime->ready, err) < 0 ? -1 : file_remove(runtime->sockets, err);
}

int engine_park(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        bool held = false;

        if (runtime_find(vm, &runtime, err) < 0 || check(vm, &runtime, err) < 0)
                return -1;
        event_begin(events, "park", "parking VM '%s'", vm->name);
        sync_guest(&runtime);
        if (park(vm, &runtime, &held, err) < 0 || clear_up(&runtime, err) < 0) {
                event_end(events, "park", EVENT_FAILED, NULL);
                error_wrap(err, "cannot park VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        event_end(events, "park", EVENT_DONE, NULL);
        if (!held)
                event_warning(events, "the network of VM '%s' was started by an older version: open connections have ended",
                              vm->name);
        return 0;
}

int engine_activity(const struct vm *vm, struct engine_activity *out, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        struct os_process_work work;
        struct net_reply reply;
        pid_t qemu;

        if (runtime_find(vm, &runtime, err) < 0)
                return -1;
        qemu = runtime_qemu(&runtime);
        if (qemu == 0 || os_process_work(qemu, &work) < 0)
                return error_set(err, ERROR_ENGINE, "cannot look at the QEMU of VM '%s'", vm->name);
        if (net_control_call(runtime.control, "look", -1, deadline_in(NET_MS), &reply, err) < 0)
                return -1;
        *out = (struct engine_activity){ .cpu_ms = work.busy_ms, .moved_ms = reply.moved_ms };
        return 0;
}
