#include "lib/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/os.h"
#include "lib/process-spawn.h"

static bool is_program(const char *path)
{
        struct stat status;

        return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

char *process_find(const char *program)
{
        const char *path = getenv("PATH");

        if (strchr(program, '/'))
                return is_program(program) ? xstrdup(program) : NULL;
        if (*program == '\0')
                return NULL;
        if (!path)
                path = "/usr/bin:/bin";
        while (*path) {
                size_t length = strcspn(path, ":");
                _cleanup_(freep) char *candidate = xasprintf("%.*s/%s", (int)length, path, program);

                /* A relative entry would run whatever the current folder holds, and anybody may have put that there. */
                if (*path == '/' && is_program(candidate))
                        return TAKE_PTR(candidate);
                path += length;
                path += *path == ':';
        }
        return NULL;
}

/* The absolute path of the program, because the child may change its folder before it looks. NULL with an error. */
static char *resolve(const char *program, struct error **err)
{
        _cleanup_(freep) char *path = process_find(program);
        char *absolute;

        if (!path) {
                error_set(err, ERROR_FAILED, "cannot run '%s': not found", program);
                return NULL;
        }
        if (*path == '/')
                return TAKE_PTR(path);
        absolute = realpath(path, NULL);
        if (!absolute)
                error_errno(err, ERROR_FAILED, "cannot run '%s'", program);
        return absolute;
}

static void close_copies(struct spawn_fd *fds, size_t count)
{
        for (size_t i = 0; i < count; i++)
                closep(&fds[i].from);
        free(fds);
}

/*
 * Sets which descriptors the child has: stdin, stdout, stderr and those of `spec`. Sources are first copied above all the
 * numbers the child will use, so that none is overwritten while it is still needed.
 */
static int place_fds(const struct process_spec *spec, struct spawn_fd *fds, struct spawn *spawn)
{
        const int stdio[3] = { spec->stdin_fd, spec->stdout_fd, spec->stderr_fd };

        spawn->highest = STDERR_FILENO;
        for (size_t i = 0; i < spawn->count; i++) {
                fds[i].to = i < 3 ? (int)i : spec->fds[i - 3].child_fd;
                fds[i].from = SPAWN_NULL;
                if (fds[i].to > spawn->highest)
                        spawn->highest = fds[i].to;
        }
        for (size_t i = 0; i < spawn->count; i++) {
                int fd = i < 3 ? stdio[i] : spec->fds[i - 3].fd;

                if (i < 3 && fd == 0)
                        continue;
                if (i < 3 && fd == PROCESS_INHERIT) {
                        fds[i].from = SPAWN_SAME;
                        continue;
                }
                fds[i].from = fcntl(fd, F_DUPFD_CLOEXEC, spawn->highest + 2);
                if (fds[i].from < 0)
                        return errno;
        }
        return 0;
}

int process_spawn(const struct process_spec *spec, pid_t *pid, struct error **err)
{
        _cleanup_(freep) char *program = resolve(spec->argv[0], err);
        size_t count = 3 + spec->fd_count;
        struct spawn child = {
                .program = program,
                .argv = (char *const *)spec->argv,
                .environment = spec->environment ? (char *const *)spec->environment : environ,
                .folder = spec->folder,
                .count = count,
                .new_session = spec->new_session,
                .new_group = spec->new_group && !spec->new_session,
                .outlives = spec->outlives_us,
        };
        struct spawn_fd *fds;
        int failure;

        if (!program)
                return -1;
        fds = xcalloc(count, sizeof(*fds));
        child.fds = fds;
        failure = place_fds(spec, fds, &child);
        if (failure == 0)
                failure = spawn(&child, pid);
        close_copies(fds, count);
        if (failure == 0)
                return 0;
        errno = failure;
        if (spec->folder)
                return error_errno(err, ERROR_FAILED, "cannot run '%s' in '%s'", spec->argv[0], spec->folder);
        return error_errno(err, ERROR_FAILED, "cannot run '%s'", spec->argv[0]);
}

int process_wait(pid_t pid, int timeout_ms, int *status, struct error **err)
{
        deadline limit = deadline_in(timeout_ms);
        _cleanup_(closep) int fd = -1;

        for (;;) {
                int ended;
                pid_t got = waitpid(pid, &ended, WNOHANG);
                struct pollfd polled;

                if (got == pid) {
                        if (status)
                                *status = ended;
                        return 1;
                }
                if (got < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot wait for process %d", (int)pid);
                if (deadline_passed(limit))
                        return 0;
                if (fd < 0)
                        fd = os_process_fd(pid);
                polled = (struct pollfd){ .fd = fd, .events = POLLIN };
                if (fd < 0 || (poll(&polled, 1, deadline_left(limit)) < 0 && errno != EINTR))
                        return error_errno(err, ERROR_FAILED, "cannot wait for process %d", (int)pid);
        }
}

int process_exec(const char *const *argv, const char *const *environment, struct error **err)
{
        _cleanup_(freep) char *program = resolve(argv[0], err);
        sigset_t none;

        if (!program)
                return -1;
        /* Unlike handlers, these two would live on in the new program. */
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        execve(program, (char *const *)argv, environment ? (char *const *)environment : environ);
        return error_errno(err, ERROR_FAILED, "cannot run '%s'", argv[0]);
}

int process_exit_status(int status)
{
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *process_status_text(int status)
{
        if (WIFSIGNALED(status))
                return xasprintf("signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
        return xasprintf("exit status %d", WEXITSTATUS(status));
}

/* Does one of `overrides` set or remove what `entry` ("KEY=value") sets? */
static bool is_overridden(const char *entry, const char *const *overrides)
{
        size_t length = strcspn(entry, "=");

        for (; *overrides; overrides++)
                if (strcspn(*overrides, "=") == length && strncmp(*overrides, entry, length) == 0)
                        return true;
        return false;
}

void process_environment(struct strv *out, const char *const *overrides)
{
        static const char *const none[] = { NULL };

        if (!overrides)
                overrides = none;
        /* NULL after clearenv(3). */
        for (char **entry = environ; entry && *entry; entry++)
                if (!is_overridden(*entry, overrides))
                        strv_add(out, *entry);
        for (; *overrides; overrides++)
                if (strchr(*overrides, '='))
                        strv_add(out, *overrides);
}
