#include "qemu/boot.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/interrupt.h"
#include "lib/loop.h"
#include "lib/os.h"
#include "qemu/socket.h"
#include "vm/console.h"
#include "vm/monitor.h"
#include "vm/progress.h"

/*
 * A connection made before the guest has its network hangs in retransmissions long afterwards, so others are made beside it.
 * But each one that sshd sees costs a slow guest a lot. So there are few, and one that may be waiting for a busy sshd is left
 * alone.
 */
#define ATTEMPTS    4
#define ATTEMPT_MS  2000
#define PATIENCE_MS 20000
/* After a refusal: the guest is there, and sshd will be soon. */
#define REFUSED_MS 200
/* How many are handled before timers have their turn again */
#define EVENTS_AT_ONCE 256
#define BANNER         "SSH-2.0-" /* RFC 4253, section 4.2 */

#define STATUS_MS 5000

/* How long nothing may move, from the start of QEMU to the banner of the guest's sshd. A slow boot that moves may take ten
 * times as long (progress.h). */
#define BOOT_KVM_MS      60000
#define BOOT_EMULATED_MS 180000
#define WHOLE_TIMES      10

struct attempt {
        struct boot *boot;
        int fd; /* -1 = free */
        int64_t begun;
        size_t matched;
        struct loop_source *source;
};

struct boot {
        const struct runtime *runtime;
        struct qmp *qmp;
        struct event_sink *events;
        struct loop *loop;
        struct console console;
        int watch;
        pid_t qemu; /* 0 = unknown */
        struct progress progress;
        struct attempt attempts[ATTEMPTS];
        struct loop_source *next; /* the timer of the next attempt */
        int64_t next_due;
        struct error *error;
};

static void attempt_drop(struct attempt *attempt)
{
        loop_remove(attempt->boot->loop, attempt->source);
        attempt->source = NULL;
        closep(&attempt->fd);
        attempt->fd = -1;
}

static void on_next(struct loop *loop, void *data);

/* Plans the next attempt in `ms`, unless one is already planned for an earlier time. */
static void attempt_plan(struct boot *boot, int ms)
{
        int64_t due = now_ms() + ms;

        if (boot->next && boot->next_due <= due)
                return;
        loop_remove(boot->loop, boot->next);
        boot->next = loop_add_timer(boot->loop, ms, on_next, boot);
        boot->next_due = due;
}

/* Reads what has come of the banner. 1 = all of it, 0 = not all yet, -1 = the connection is of no use. */
static int read_banner(struct attempt *attempt)
{
        while (attempt->matched < sizeof(BANNER) - 1) {
                char byte;
                ssize_t got = recv(attempt->fd, &byte, 1, 0);

                if (got < 0 && (errno == EAGAIN || errno == EINTR))
                        return 0;
                if (got <= 0 || byte != BANNER[attempt->matched++])
                        return -1;
        }
        return 1;
}

static void on_answer(struct loop *loop, int fd, short revents, void *data)
{
        struct attempt *attempt = data;

        switch (read_banner(attempt)) {
        case 1:
                loop_quit(loop, 0);
                break;
        case -1:
                attempt_drop(attempt);
                attempt_plan(attempt->boot, REFUSED_MS);
        }
}

/* Returns an attempt that isn't used or has had its time; NULL when all are busy. */
static struct attempt *attempt_free(struct boot *boot)
{
        for (size_t i = 0; i < ATTEMPTS; i++) {
                struct attempt *attempt = &boot->attempts[i];

                if (attempt->fd >= 0 && now_ms() - attempt->begun > PATIENCE_MS)
                        attempt_drop(attempt);
                if (attempt->fd < 0)
                        return attempt;
        }
        return NULL;
}

static void attempt_make(struct boot *boot)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        struct attempt *attempt = attempt_free(boot);

        if (!attempt)
                return;
        if (socket_connect(boot->runtime->ssh, deadline_in(0), &attempt->fd, &reason) == 0) {
                attempt->begun = now_ms();
                attempt->matched = 0;
                attempt->source = loop_add_fd(boot->loop, attempt->fd, POLLIN, on_answer, attempt);
                return;
        }
        /* Otherwise it is only busy: the next attempt will do. */
        if (reason->kind == ERROR_NOT_FOUND && !boot->error) {
                boot->error = TAKE_PTR(reason);
                error_wrap(&boot->error, "the network process has ended");
                loop_quit(boot->loop, -1);
        }
}

static void on_next(struct loop *loop, void *data)
{
        struct boot *boot = data;

        boot->next = NULL;
        attempt_make(boot);
        attempt_plan(boot, ATTEMPT_MS);
}

static void on_look(struct loop *loop, void *data)
{
        struct boot *boot = data;
        _cleanup_(freep) char *text = NULL;

        progress_look(&boot->progress, boot->qemu, now_ms());
        if (!progress_is_over(&boot->progress, now_ms())) {
                loop_add_timer(loop, progress_pause_ms(&boot->progress), on_look, boot);
                return;
        }
        text = progress_text(&boot->progress, now_ms());
        error_set(&boot->error, ERROR_ENGINE, "its sshd does not answer %s", text);
        error_passes(&boot->error, PROGRESS_BOOT_PASSES);
        loop_quit(loop, -1);
}

static void ask_status(struct boot *boot, const char *command, struct monitor_status *out)
{
        _cleanup_(json_decrefp) json_t *reply = NULL;

        qmp_call(boot->qmp, command, NULL, deadline_in(STATUS_MS), &reply, NULL);
        monitor_status_take(out, reply);
}

/* The guest stands still: QEMU says why. */
static void on_stop(struct boot *boot)
{
        _cleanup_(monitor_status_clear) struct monitor_status says = { 0 };
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        ask_status(boot, "query-status", &says);
        ask_status(boot, "query-block", &says);
        if (!says.run)
                return;
        monitor_judge(&says, boot->runtime->name, boot->runtime->disk, &status);
        if (status.state == VM_RUNNING)
                return;
        _cleanup_(freep) char *text = vm_status_text(&status);

        error_set(&boot->error, ERROR_ENGINE, "it is %s", text);
        loop_quit(boot->loop, -1);
}

static void on_qmp(struct loop *loop, int fd, short revents, void *data)
{
        struct boot *boot = data;

        for (unsigned i = 0; i < EVENTS_AT_ONCE; i++) {
                _cleanup_(freep) char *name = NULL;
                int got = qmp_next_event(boot->qmp, deadline_in(0), &name, &boot->error);

                if (got < 0)
                        loop_quit(loop, -1);
                if (got <= 0)
                        return;
                /* The guest agent opened its port: the guest has nearly booted, and sshd comes soon. */
                progress_moved(&boot->progress, now_ms());
                if (streq(name, "VSERPORT_CHANGE"))
                        attempt_plan(boot, 0);
                if (streq(name, "STOP"))
                        on_stop(boot);
        }
}

static void on_console(struct loop *loop, int fd, short revents, void *data)
{
        struct boot *boot = data;
        char notices[4096];

        progress_moved(&boot->progress, now_ms());
        if (read(fd, notices, sizeof(notices)) > 0)
                console_report(&boot->console, boot->events);
}

static void on_interrupt(struct loop *loop, int fd, short revents, void *data)
{
        struct boot *boot = data;

        interrupt_check(&boot->error);
        loop_quit(loop, -1);
}

static int watch_console(struct boot *boot, struct error **err)
{
        if (console_follow(&boot->console, boot->runtime->console_log, err) < 0)
                return -1;
        boot->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (boot->watch < 0 || inotify_add_watch(boot->watch, boot->runtime->console_log, IN_MODIFY) < 0)
                return error_errno(err, ERROR_FAILED, "cannot watch '%s'", boot->runtime->console_log);
        loop_add_fd(boot->loop, boot->watch, POLLIN, on_console, boot);
        return 0;
}

static void boot_clear(struct boot *boot)
{
        for (size_t i = 0; i < ATTEMPTS; i++)
                attempt_drop(&boot->attempts[i]);
        closep(&boot->watch);
        console_clear(&boot->console);
        loop_free(boot->loop);
        error_free(boot->error);
}

int boot_quiet_ms(bool kvm)
{
        return kvm ? BOOT_KVM_MS : BOOT_EMULATED_MS;
}

int boot_wait(const struct runtime *runtime, struct qmp *qmp, int quiet_ms, struct event_sink *events, struct error **err)
{
        _cleanup_(boot_clear) struct boot boot = {
                .runtime = runtime,
                .qmp = qmp,
                .events = events,
                .loop = loop_new(),
                .console = CONSOLE_INIT,
                .watch = -1,
                .qemu = runtime_qemu(runtime),
        };

        progress_begin(&boot.progress, quiet_ms, WHOLE_TIMES * quiet_ms, now_ms());
        for (size_t i = 0; i < ATTEMPTS; i++)
                boot.attempts[i] = (struct attempt){ .boot = &boot, .fd = -1 };
        if (watch_console(&boot, err) < 0)
                return -1;
        loop_add_fd(boot.loop, qmp_fd(qmp), POLLIN, on_qmp, &boot);
        if (interrupt_fd() >= 0)
                loop_add_fd(boot.loop, interrupt_fd(), POLLIN, on_interrupt, &boot);
        loop_add_timer(boot.loop, progress_pause_ms(&boot.progress), on_look, &boot);
        attempt_plan(&boot, 0);
        if (loop_run(boot.loop, err) == 0)
                return 0;
        if (err && !*err)
                *err = TAKE_PTR(boot.error);
        return -1;
}
