#include <poll.h>

#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/os.h"
#include "lima/engine.h"
#include "lima/home.h"
#include "lima/limactl.h"
#include "lima/look.h"

/* From the power button to the end. Lima itself would wait for six minutes. */
#define STOP_TIMEOUT_MS 60000
#define KILL_TIMEOUT_MS 30000
#define END_MS          10000
#define DRIVER_MS       10000

/* Waits until the process has ended. Returns at once when it is already gone. */
static int await_end(int process_fd, deadline limit, struct error **err)
{
        struct pollfd polled = { .fd = process_fd, .events = POLLIN };

        if (process_fd < 0 || poll(&polled, 1, deadline_left(limit)) == 1)
                return 0;
        return error_set(err, ERROR_ENGINE, "a killed process has not ended within %d s", END_MS / 1000);
}

/* Comes first: if we are killed on the way, a guest that shuts down by itself must not be taken for one that is up. */
static int forget_ready(const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *path = look_ready_path(vm);

        return file_remove(path, err);
}

/*
 * Between the start of QEMU and its pid file, Lima knows of the host agent alone: a kill then would leave the guest running,
 * and nobody could find it. So this waits, up to DRIVER_MS, until the guest's process is known or the agent has ended.
 */
static int await_driver(const struct vm *vm, struct look *look, struct error **err)
{
        deadline limit = deadline_in(DRIVER_MS);

        while (look->state == LOOK_HALF && look->listing.agent > 0 && !deadline_passed(limit)) {
                _cleanup_(closep) int agent = os_process_fd(look->listing.agent);

                poll(&(struct pollfd){ .fd = agent, .events = POLLIN }, 1, 50);
                if (look_at(vm, look, err) < 0)
                        return -1;
        }
        return 0;
}

/*
 * `limactl stop --force` kills the processes that its pid files name. look_mend() has removed the pid files that name others'
 * processes. The VM's processes are watched through descriptors until they are gone.
 */
static int kill_instance(const struct vm *vm, struct look *look, struct error **err)
{
        _cleanup_(freep) char *instance = home_instance(vm->name);
        const char *const arguments[] = { "stop", "--force", instance, NULL };
        _cleanup_(closep) int agent = -1;
        _cleanup_(closep) int driver = -1;
        deadline limit;

        if (forget_ready(vm, err) < 0 || look_mend(vm, look, err) < 0 || await_driver(vm, look, err) < 0)
                return -1;
        if (look->state != LOOK_RUNNING && look->state != LOOK_HALF)
                return 0;
        agent = look->listing.agent > 0 ? os_process_fd(look->listing.agent) : -1;
        driver = look->listing.driver > 0 ? os_process_fd(look->listing.driver) : -1;
        if (limactl_run(&(struct limactl_call){ .arguments = arguments, .timeout_ms = KILL_TIMEOUT_MS }, NULL, err) < 0)
                return -1;
        limit = deadline_in(END_MS);
        return await_end(driver, limit, err) < 0 || await_end(agent, limit, err) < 0 ? -1 : 0;
}

int lima_kill(struct vm *vm, struct error **err)
{
        _cleanup_(look_clear) struct look look = LOOK_INIT;

        if (look_at(vm, &look, err) < 0)
                return -1;
        if (look.state < LOOK_UNREADABLE)
                return 0;
        if (kill_instance(vm, &look, err) < 0) {
                error_wrap(err, "cannot end VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        return 0;
}

/* Kills a guest that doesn't end when it is asked to, and what Lima doesn't count as running. */
static int end_guest(const struct vm *vm, struct look *look, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *instance = home_instance(vm->name);
        const char *const arguments[] = { "stop", instance, NULL };
        _cleanup_(error_freep) struct error *reason = NULL;

        if (forget_ready(vm, err) < 0)
                return -1;
        if (look->state == LOOK_RUNNING) {
                limactl_run(&(struct limactl_call){ .arguments = arguments, .timeout_ms = STOP_TIMEOUT_MS, .events = events },
                            NULL, &reason);
                if (look_at(vm, look, err) < 0)
                        return -1;
                if (look->state == LOOK_RUNNING || look->state == LOOK_HALF)
                        event_warning(events, "VM '%s' did not shut down: %s; it is switched off", vm->name,
                                      reason ? reason->message : "no reason given");
        }
        return kill_instance(vm, look, err);
}

int lima_stop(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(look_clear) struct look look = LOOK_INIT;

        if (look_at(vm, &look, err) < 0)
                return -1;
        if (look.state != LOOK_RUNNING && look.state != LOOK_HALF)
                return 0;
        event_begin(events, "stop", "stopping VM '%s'", vm->name);
        if (end_guest(vm, &look, events, err) < 0) {
                event_end(events, "stop", EVENT_FAILED, NULL);
                error_wrap(err, "cannot stop VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        event_end(events, "stop", EVENT_DONE, NULL);
        return 0;
}
