#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "host/paths.h"
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/lock.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/text.h"
#include "vm/console.h"
#include "vm/network.h"

#define READY_MS     60000 /* it takes some milliseconds; one that ends is not waited for */
#define REASON_LIMIT 4096
#define END_MS       10000
#define LOG_LIMIT    (2 << 20) /* twice what net/log.h lets it have */

enum { FRAMES_FD = 3, READY_FD = 4, CONTROL_FD = 5 };

/* How often machine-net has us look whether the guest is idle. */
#define IDLE_LOOK_S 60

/* By these its waker, which is `machine` again, finds this VM (host/paths.c). machine-net itself forgets them. */
static const char *const for_waker[] = { "HOME",
                                         "XDG_CONFIG_HOME",
                                         "XDG_DATA_HOME",
                                         "XDG_STATE_HOME",
                                         "XDG_CACHE_HOME",
                                         "XDG_RUNTIME_DIR",
                                         "MACHINE_CONFIG_DIR",
                                         "MACHINE_DATA_DIR",
                                         "MACHINE_LIBEXEC_DIR",
                                         "MACHINE_SSH_DIR",
                                         "PATH" };

/* Nothing else in the user's environment changes what machine-net does. */
static void build_environment(const struct network_spec *spec, struct strv *out)
{
        strv_add(out, "LC_ALL=C.UTF-8");
        if (!spec->wakes)
                strv_add(out, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
        for (size_t i = 0; spec->wakes && i < ARRAY_SIZE(for_waker); i++)
                if (getenv(for_waker[i]))
                        strv_addf(out, "%s=%s", for_waker[i], getenv(for_waker[i]));
}

/* Reads its one line, or as much of it as there was when machine-net ended. Fails when the time is up. */
static int read_line(int fd, struct strbuf *line, struct error **err)
{
        deadline limit = deadline_in(READY_MS);
        char block[256];

        while (line->len < REASON_LIMIT && !memchr(line->buf, '\n', line->len)) {
                struct pollfd polled = { .fd = fd, .events = POLLIN };
                int ready = poll(&polled, 1, deadline_left(limit));
                ssize_t got;

                if (ready == 0)
                        return error_set(err, ERROR_ENGINE, "the network process is not ready after %d s", READY_MS / 1000);
                got = ready < 0 ? -1 : read(fd, block, sizeof(block));
                if (got < 0 && errno != EINTR)
                        return error_errno(err, ERROR_ENGINE, "cannot read from the network process");
                if (got == 0)
                        break;
                if (got > 0)
                        strbuf_add(line, block, (size_t)got);
        }
        strbuf_trim_end(line);
        return 0;
}

static int await_ready(const struct network_spec *spec, int fd, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;

        if (read_line(fd, &line, err) < 0)
                return -1;
        if (streq(line.buf, "ok"))
                return 0;
        if (line.len > 0)
                text_visible(&shown, line.buf, line.len);
        else
                console_quote(&shown, spec->log, 3);
        return error_set(err, ERROR_ENGINE, "the network process does not start: %s",
                         shown.len > 0 ? shown.buf : "no reason given");
}

/* "TIME tcp ADDRESS PORT REASON": net/log.h. The newest such line counts. */
static char *find_reason(const char *log, const char *place)
{
        char *reason = NULL;

        for (const char *line = log; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                const char *found = line + strcspn(line, " \n");

                if (starts_with(found, place))
                        set_string(&reason, xstrndup(found + strlen(place), strcspn(found + strlen(place), " \n")));
        }
        return reason;
}

int network_refused(const char *log, const char *address, uint16_t port, char **reason, struct error **err)
{
        _cleanup_(freep) char *place = xasprintf(" tcp %s %u ", address, port);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (file_read(log, LOG_LIMIT, &text, err) < 0)
                return -1;
        *reason = find_reason(text.buf, place);
        return *reason != NULL;
}

/* `waker`: our own program; NULL = none is wanted. */
static void build_arguments(const struct network_spec *spec, const char *program, const char *waker, struct strv *argv)
{
        strv_add(argv, program);
        strv_addf(argv, "--frames-fd=%d", FRAMES_FD);
        strv_addf(argv, "--ready-fd=%d", READY_FD);
        strv_addf(argv, "--log=%s", spec->log);
        if (spec->goes_on)
                strv_add(argv, "--goes-on");
        if (spec->control_fd > 0)
                strv_addf(argv, "--control-fd=%d", CONTROL_FD);
        if (waker) {
                strv_addf(argv, "--waker=%s", waker);
                strv_addf(argv, "--vm=%s", spec->wakes);
                strv_addf(argv, "--idle-look=%d", IDLE_LOOK_S);
        }
        for (const char *const *option = spec->options; *option; option++)
                strv_add(argv, *option);
}

/* Takes the lock that says that this VM has a machine-net, and then opens its log. */
static int open_log(const struct network_spec *spec, struct lock *lock, int *log, struct error **err)
{
        int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (spec->goes_on ? 0 : O_TRUNC);

        if (lock_acquire(lock, spec->log, LOCK_EXCLUSIVE, END_MS, err) < 0)
                return error_wrap(err, "the network process before this one has not ended");
        *log = open(spec->log, flags);
        return *log < 0 ? error_errno(err, ERROR_FAILED, "cannot open '%s'", spec->log) : 0;
}

int network_start(const struct network_spec *spec, pid_t *pid, struct error **err)
{
        _cleanup_(freep) char *program = paths_helper("machine-net", err);
        _cleanup_(freep) char *waker = spec->wakes ? os_program_path(err) : NULL;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(strv_clear) struct strv variables = STRV_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(closep) int ready = -1;
        _cleanup_(closep) int told = -1;
        _cleanup_(closep) int log = -1;
        int ends[2];
        pid_t started;

        if (!program || (spec->wakes && !waker))
                return -1;
        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        ready = ends[0];
        told = ends[1];
        if (open_log(spec, &lock, &log, err) < 0)
                return -1;
        build_arguments(spec, program, waker, &argv);
        build_environment(spec, &variables);
        if (process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                  .environment = strv_argv(&variables),
                                                  .folder = "/",
                                                  .stdout_fd = lock.fd, /* only to be held */
                                                  .stderr_fd = log,
                                                  .fds = (const struct process_fd[]){ { FRAMES_FD, spec->frames_fd },
                                                                                      { READY_FD, told },
                                                                                      { CONTROL_FD, spec->control_fd } },
                                                  .fd_count = spec->control_fd > 0 ? 3 : 2,
                                                  .new_session = true,
                                                  .outlives_us = true },
                          &started, err) < 0)
                return -1;
        closep(&told);
        told = -1;
        if (await_ready(spec, ready, err) < 0) {
                kill(started, SIGKILL);
                process_wait(started, END_MS, NULL, NULL);
                return -1;
        }
        *pid = started;
        return 0;
}
