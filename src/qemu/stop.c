#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/os.h"
#include "qemu/agent.h"
#include "qemu/engine.h"
#include "qemu/park.h"
#include "qemu/runtime.h"
#include "qemu/socket.h"
#include "vm/progress.h"

#define QMP_MS 10000
/* An agent that has its port open answers soon, or not at all. */
#define AGENT_MS 5000
/* How long the guest may neither say anything nor use its disk (vm/progress.h), and how long it may take at all */
#define GRACE_MS 60000
#define WHOLE_MS 600000
/* A guest that still boots may miss the request */
#define AGAIN_MS 5000

/* Does a program in the guest have the agent's port open? */
static bool agent_listens(struct qmp *qmp)
{
        _cleanup_(json_decrefp) json_t *devices = NULL;
        json_t *device;
        size_t i;

        if (qmp_call(qmp, "query-chardev", NULL, deadline_in(QMP_MS), &devices, NULL) < 0)
                return false;
        json_array_foreach (devices, i, device) {
                const char *label = json_string_value(json_object_get(device, "label"));

                if (label && streq(label, "agent"))
                        return json_is_true(json_object_get(device, "frontend-open"));
        }
        return false;
}

static int ask_agent(const struct runtime *runtime, struct error **err)
{
        _cleanup_(json_decrefp) json_t *arguments = json_pack("{s:s}", "mode", "powerdown");
        _cleanup_(agent_freep) struct agent *agent = NULL;
        deadline limit = deadline_in(AGENT_MS);

        return agent_connect(runtime->agent, limit, &agent, err) < 0
                       ? -1
                       : agent_tell(agent, "guest-shutdown", arguments, limit, err);
}

/* Asks the guest to shut down, by its agent. Presses the power button when the agent can't be asked, or was asked in vain. QEMU
 * may be gone by then. `qmp`: NULL when its socket is gone. */
static bool ask(const struct runtime *runtime, struct qmp *qmp, bool again)
{
        bool asked = (!qmp || agent_listens(qmp)) && ask_agent(runtime, NULL) == 0;

        if (qmp && (!asked || again))
                asked = qmp_call(qmp, "system_powerdown", NULL, deadline_in(QMP_MS), NULL, NULL) == 0 || asked;
        return asked;
}

/* Looks at what the guest does on its way down. That it is busy says nothing: a guest that heeds no request may be so for ever.
 */
static void look(struct progress *progress, const struct runtime *runtime, pid_t qemu, off_t *said)
{
        struct os_process_work work;
        struct stat log;

        if (stat(runtime->console_log, &log) == 0 && log.st_size != *said) {
                progress_moved(progress, now_ms());
                *said = log.st_size;
        }
        if (os_process_work(qemu, &work) < 0)
                return;
        work.busy_ms = progress->work.busy_ms - 1;
        work.stopped = false;
        progress_weigh(progress, &work, now_ms());
}

/* A guest that can't write to its disk can't shut down, and what it has not written would be lost with it. */
static int refuse_waiting(const struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;

        if (engine_resume(vm, &reason) == 0 || engine_inspect(vm, &status, NULL) < 0 || !status.waits)
                return 0;
        return vm_refuse_state(vm, &status, err);
}

/* 1 = it has ended, 0 = it didn't within its time, or can't be asked; -1 = it can't at the moment. `qmp`: NULL when its socket
 * is gone. */
static int ask_to_end(const struct vm *vm, const struct runtime *runtime, int process_fd, struct qmp *qmp, struct error **err)
{
        struct progress progress;
        bool asked = false;
        pid_t qemu = runtime_qemu(runtime);
        off_t said = 0;
        int ended = 0;

        progress_begin(&progress, GRACE_MS, WHOLE_MS, now_ms());
        for (bool again = false; ended == 0 && !progress_is_over(&progress, now_ms()); again = true) {
                /* A guest that is on its way answers no more. */
                asked = ask(runtime, qmp, again) || asked;
                if (!asked && !qmp)
                        break;
                ended = runtime_wait_end(runtime, process_fd, deadline_in(AGAIN_MS), err);
                if (ended == 0 && interrupt_check(err) < 0)
                        return -1;
                look(&progress, runtime, qemu, &said);
                if (ended == 0 && refuse_waiting(vm, err) < 0)
                        return -1;
        }
        return ended;
}

static int end_guest(const struct vm *vm, const struct runtime *runtime, struct event_sink *events, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;
        _cleanup_(closep) int process_fd = -1;
        int ended;

        if (refuse_waiting(vm, err) < 0)
                return -1;
        if (runtime_process(runtime, &process_fd, &reason) < 0 ||
            (file_exists(runtime->qmp) && runtime_qmp(runtime, process_fd, deadline_in(QMP_MS), &qmp, &reason) < 0)) {
                _cleanup_(freep) char *text = error_text(reason);

                if (runtime_is_alive(runtime, NULL) != 0)
                        event_warning(events, "VM '%s' can't be asked to shut down (%s): it is killed", vm->name, text);
                return runtime_kill(runtime, err);
        }
        ended = ask_to_end(vm, runtime, process_fd, qmp, err);
        if (ended < 0)
                return -1;
        if (ended == 0) {
                if (qmp)
                        event_warning(events, "the guest of VM '%s' did not shut down: it was killed", vm->name);
                else
                        event_warning(events, "VM '%s' has lost its sockets and did not shut down: it was killed", vm->name);
                return runtime_kill(runtime, err);
        }
        return 0;
}

/* Clears away what the next start would otherwise have to. */
static int clear_up(const struct runtime *runtime, struct error **err)
{
        if (runtime_end_net(runtime, RUNTIME_NET_MS, err) < 0)
                return -1;
        return file_remove(runtime->ready, err) < 0 ? -1 : file_remove(runtime->sockets, err);
}

int engine_stop(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        int alive;

        if (runtime_find(vm, &runtime, err) < 0)
                return -1;
        alive = runtime_is_alive(&runtime, err);
        if (alive <= 0)
                return alive;
        event_begin(events, "stop", "stopping VM '%s'", vm->name);
        if (end_guest(vm, &runtime, events, err) < 0 || clear_up(&runtime, err) < 0) {
                event_end(events, "stop", EVENT_FAILED, NULL);
                error_wrap(err, "cannot stop VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        event_end(events, "stop", EVENT_DONE, NULL);
        return 0;
}

int engine_kill(struct vm *vm, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;

        if (runtime_find(vm, &runtime, err) < 0)
                return -1;
        if (runtime_kill(&runtime, err) < 0 || (park_is_due(&runtime) && park_forget(&runtime, err) < 0) ||
            clear_up(&runtime, err) < 0) {
                error_wrap(err, "cannot end VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        return 0;
}
