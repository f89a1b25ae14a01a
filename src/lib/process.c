#include "lib/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/os.h"

static void actions_destroyp(posix_spawn_file_actions_t **actions)
{
        posix_spawn_file_actions_destroy(*actions);
}

static void attributes_destroyp(posix_spawnattr_t **attributes)
{
        posix_spawnattr_destroy(*attributes);
}

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

/*
 * Sets which descriptors the child has. Sources are first copied above all the numbers the child will use, so that no dup2
 * overwrites a source that a later one needs; `copies` (3 + fd_count of them) keeps them until the child has started.
 */
static int place_fds(const struct process_spec *spec, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                     int *copies)
{
        const int stdio[3] = { spec->stdin_fd, spec->stdout_fd, spec->stderr_fd };
        size_t count = 3 + spec->fd_count;
        _cleanup_(freep) int *kept = xreallocarray(NULL, count, sizeof(*kept));
        int highest = STDERR_FILENO;
        int failure = 0;

        for (size_t i = 0; i < count; i++) {
                kept[i] = i < 3 ? (int)i : spec->fds[i - 3].child_fd;
                if (kept[i] > highest)
                        highest = kept[i];
        }
        for (size_t i = 0; failure == 0 && i < count; i++) {
                int fd = i < 3 ? stdio[i] : spec->fds[i - 3].fd;

                if (i < 3 && fd == PROCESS_INHERIT)
                        continue;
                if (i < 3 && fd == 0) {
                        failure = posix_spawn_file_actions_addopen(actions, kept[i], "/dev/null", O_RDWR, 0);
                        continue;
                }
                copies[i] = fcntl(fd, F_DUPFD_CLOEXEC, highest + 1);
                failure = copies[i] < 0 ? errno : posix_spawn_file_actions_adddup2(actions, copies[i], kept[i]);
        }
        return failure != 0 ? failure : os_spawn_keep(actions, attributes, kept, count);
}

/* Default signals, none blocked: what we ignore or block doesn't concern the child. */
static int set_attributes(const struct process_spec *spec, posix_spawnattr_t *attributes)
{
        short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
        sigset_t all;
        sigset_t none;
        int failure;

        sigfillset(&all);
        sigemptyset(&none);
        if (spec->new_session)
                flags |= POSIX_SPAWN_SETSID;
        failure = posix_spawnattr_setflags(attributes, flags);
        if (failure == 0)
                failure = posix_spawnattr_setsigdefault(attributes, &all);
        if (failure == 0)
                failure = posix_spawnattr_setsigmask(attributes, &none);
        return failure;
}

int process_spawn(const struct process_spec *spec, pid_t *pid, struct error **err)
{
        _cleanup_(freep) char *program = resolve(spec->argv[0], err);
        size_t copy_count = 3 + spec->fd_count;
        _cleanup_(freep) int *copies = NULL;
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        _cleanup_(actions_destroyp) _unused_ posix_spawn_file_actions_t *actions_owner = &actions;
        _cleanup_(attributes_destroyp) _unused_ posix_spawnattr_t *attributes_owner = &attributes;
        char *const *argv = (char *const *)spec->argv;
        char *const *environment = spec->environment ? (char *const *)spec->environment : environ;
        int failure;

        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        if (!program)
                return -1;
        copies = xreallocarray(NULL, copy_count, sizeof(*copies));
        for (size_t i = 0; i < copy_count; i++)
                copies[i] = -1;

        failure = set_attributes(spec, &attributes);
        if (failure == 0 && spec->folder)
                failure = posix_spawn_file_actions_addchdir_np(&actions, spec->folder);
        if (failure == 0)
                failure = place_fds(spec, &actions, &attributes, copies);
        if (failure == 0)
                failure = posix_spawn(pid, program, &actions, &attributes, argv, environment);
        for (size_t i = 0; i < copy_count; i++)
                closep(&copies[i]);
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
