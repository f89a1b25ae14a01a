#include "net/waker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/os.h"
#include "lib/process.h"
#include "net/harden.h"
#include "net/log.h"
#include "net/process-limits.h"
#include "net/waking.h"

struct work {
        const struct waker_settings *settings;
        int state_fd, number_fd;
        struct waking waking;
        struct log log;
        enum waking_act act; /* what `pid` is there for */
        pid_t pid;           /* of the program that ran last */
        int process_fd;      /* tells when that has ended; -1 = none runs */
};

static const char *verb(enum waking_act act)
{
        return act == WAKING_WAKE ? "wake" : "park --if-idle";
}

/* `timeout_ms`: 0 when it has ended already, -1 = however long it takes. */
static void await_program(struct work *work, int timeout_ms)
{
        int status = 0;

        if (process_wait(work->pid, timeout_ms, &status, NULL) == 0)
                return;
        closep(&work->process_fd);
        work->process_fd = -1;
        waking_ended(&work->waking, now_ms());
        if (status != 0) {
                _cleanup_(freep) char *text = process_status_text(status);

                log_note(&work->log, "'machine %s %s' ended with %s", verb(work->act), work->settings->name, text);
        }
}

static void run_program(struct work *work, enum waking_act act)
{
        const struct waker_settings *settings = work->settings;
        const char *const wake[] = { settings->program, "wake", settings->name, NULL };
        const char *const park[] = { settings->program, "park", "--if-idle", settings->name, NULL };
        _cleanup_(error_freep) struct error *error = NULL;

        if (act == WAKING_WAKE)
                log_note(&work->log, "something reaches for the parked VM: it is woken");
        work->act = act;
        if (process_spawn(&(struct process_spec){ .argv = act == WAKING_WAKE ? wake : park,
                                                  .folder = "/",
                                                  .stderr_fd = PROCESS_INHERIT,
                                                  .new_session = true,
                                                  .outlives_us = true },
                          &work->pid, &error) < 0) {
                _cleanup_(freep) char *text = error_text(error);

                log_note(&work->log, "'machine %s %s': %s", verb(act), settings->name, text);
                waking_ended(&work->waking, now_ms());
                return;
        }
        work->process_fd = os_process_fd(work->pid);
        if (work->process_fd < 0)
                await_program(work, -1);
}

/* Returns false when the supervisor has ended. */
static bool read_state(struct work *work)
{
        struct waking_state state;
        ssize_t count = read(work->state_fd, &state, sizeof(state));

        if (count == (ssize_t)sizeof(state))
                waking_set(&work->waking, &state, now_ms());
        return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The last byte counts. When the workers' end is closed, so is the supervisor's. */
static void read_number(struct work *work)
{
        uint8_t bytes[64];
        ssize_t count = read(work->number_fd, bytes, sizeof(bytes));

        if (count > 0)
                waking_byte(&work->waking, bytes[count - 1]);
}

static int wait_for_news(struct work *work, int64_t timeout_ms)
{
        struct pollfd polled[] = {
                { .fd = work->state_fd, .events = POLLIN },
                { .fd = work->number_fd, .events = POLLIN },
                { .fd = work->process_fd, .events = POLLIN },
        };

        if (poll(polled, ARRAY_SIZE(polled), timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms) < 0)
                return errno == EINTR ? 0 : -1;
        /* First what the supervisor says: a program that woke the VM told the supervisor before it ended. */
        if (polled[0].revents != 0 && !read_state(work))
                return 1;
        if (polled[1].revents != 0)
                read_number(work);
        if (polled[2].revents != 0)
                await_program(work, 0);
        return 0;
}

static int work_on(struct work *work)
{
        int status = 0;

        waking_init(&work->waking, work->settings->idle_look * 1000, now_ms());
        while (status == 0) {
                int64_t wait;
                enum waking_act act = waking_next(&work->waking, now_ms(), &wait);

                if (act != WAKING_NOTHING)
                        run_program(work, act);
                else
                        status = wait_for_news(work, wait);
        }
        return status;
}

static int leave_streams(struct error **err)
{
        _cleanup_(closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        /* Standard output is the lock on the log. */
        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '/dev/null'");
        return 0;
}

static int serve(const struct waker_settings *settings, int state_fd, int number_fd, pid_t parent, struct error **err)
{
        struct work work = { .settings = settings, .state_fd = state_fd, .number_fd = number_fd, .process_fd = -1 };

        if (limits_end_with(parent, err) < 0 || leave_streams(err) < 0 || log_open(&work.log, settings->log, err) < 0)
                return -1;

        const int keep[] = { state_fd, number_fd, work.log.old_fd };

        if (harden_close_others(keep, ARRAY_SIZE(keep), err) < 0)
                return -1;
        return work_on(&work) < 0 ? error_errno(err, ERROR_FAILED, "cannot wait for what wakes the VM") : 0;
}

static void waker_main(const struct waker_settings *settings, int state_fd, int number_fd, pid_t parent)
{
        _cleanup_(error_freep) struct error *error = NULL;

        if (serve(settings, state_fd, number_fd, parent, &error) < 0) {
                _cleanup_(freep) char *text = error_text(error);

                dprintf(STDERR_FILENO, "the process that wakes the VM: %s\n", text);
        }
}

static int make_pipe(int *reading, int *writing, struct error **err)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        *reading = ends[0];
        *writing = ends[1];
        return 0;
}

int waker_start(const struct waker_settings *settings, struct waker *out, struct error **err)
{
        _cleanup_(closep) int state_fd = -1;
        _cleanup_(closep) int number_fd = -1;
        pid_t parent = getpid();

        if (!settings->program)
                return 0;
        if (make_pipe(&state_fd, &out->state_fd, err) < 0 || make_pipe(&number_fd, &out->number_fd, err) < 0)
                return -1;
        out->pid = fork();
        if (out->pid < 0)
                return error_errno(err, ERROR_FAILED, "cannot start the process that wakes the VM");
        if (out->pid > 0)
                return 0;
        /* So that a list of processes tells it from the two that are confined. */
        (void)prctl(PR_SET_NAME, "machine-waker");
        waker_main(settings, state_fd, number_fd, parent);
        return 1;
}

void waker_tell(const struct waker *waker, bool held, uint8_t number)
{
        const struct waking_state state = { .held = held, .number = number };

        /* The pipe has room for thousands. When it is closed, there is no waker, as the log says. */
        if (waker->state_fd >= 0)
                (void)!write(waker->state_fd, &state, sizeof(state));
}
