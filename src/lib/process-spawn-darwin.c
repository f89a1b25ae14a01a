#include "lib/process-spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/event.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"

#define FDS_MOST 10240 /* OPEN_MAX: no more may be open, whatever the limit says */

static void actions_destroyp(posix_spawn_file_actions_t **actions)
{
        posix_spawn_file_actions_destroy(*actions);
}

static void attributes_destroyp(posix_spawnattr_t **attributes)
{
        posix_spawnattr_destroy(*attributes);
}

/*
 * With CLOEXEC_DEFAULT a child gets what an action put there or marked as inherited. A descriptor of ours that isn't open can't
 * be marked.
 */
static int add_actions(const struct spawn *spawn, posix_spawn_file_actions_t *actions)
{
        int failure = spawn->folder ? posix_spawn_file_actions_addchdir_np(actions, spawn->folder) : 0;

        for (size_t i = 0; failure == 0 && i < spawn->count; i++) {
                const struct spawn_fd *fd = &spawn->fds[i];

                if (fd->from == SPAWN_NULL)
                        failure = posix_spawn_file_actions_addopen(actions, fd->to, "/dev/null", O_RDWR, 0);
                else if (fd->from >= 0)
                        failure = posix_spawn_file_actions_adddup2(actions, fd->from, fd->to);
                if (failure == 0 && (fd->from != SPAWN_SAME || fcntl(fd->to, F_GETFD) >= 0))
                        failure = posix_spawn_file_actions_addinherit_np(actions, fd->to);
        }
        return failure;
}

/* SETEXEC makes posix_spawn(2) an execve(2): a child that ends with us has been forked before, and has its session. */
static int set_attributes(const struct spawn *spawn, posix_spawnattr_t *attributes)
{
        int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_CLOEXEC_DEFAULT;
        sigset_t all, none;
        int failure;

        sigfillset(&all);
        sigemptyset(&none);
        if (!spawn->outlives)
                flags |= POSIX_SPAWN_SETEXEC;
        else if (spawn->new_session)
                flags |= POSIX_SPAWN_SETSID;
        else if (spawn->new_group)
                flags |= POSIX_SPAWN_SETPGROUP; /* 0, the default: a group of its own */
        failure = posix_spawnattr_setflags(attributes, (short)flags);
        if (failure == 0)
                failure = posix_spawnattr_setsigdefault(attributes, &all);
        return failure != 0 ? failure : posix_spawnattr_setsigmask(attributes, &none);
}

/* --- in the child, before it becomes the program */

void spawn_close_all_but(int kept)
{
        int most = getdtablesize();

        for (int fd = 0; fd < (most < FDS_MOST ? most : FDS_MOST); fd++)
                if (fd != kept)
                        close(fd);
        /* The lowest numbers are free, unless `kept` is one of them. */
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fd != kept)
                        (void)!open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* Sends SIGTERM to `child` when `parent` ends. Ends when either has ended. */
static _noreturn_ void watch(pid_t parent, pid_t child)
{
        struct kevent changes[2], event;
        int queue;

        spawn_close_all_but(STDIN_FILENO);
        queue = kqueue();
        EV_SET(&changes[0], (uintptr_t)child, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
        EV_SET(&changes[1], (uintptr_t)parent, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
        if (queue < 0 || kevent(queue, &changes[0], 1, NULL, 0, NULL) < 0)
                _exit(1);
        if (kevent(queue, &changes[1], 1, NULL, 0, NULL) == 0)
                while (kevent(queue, NULL, 0, &event, 1, NULL) < 0 && errno == EINTR)
                        ;
        else
                event.ident = (uintptr_t)parent;
        if (event.ident == (uintptr_t)parent)
                kill(child, SIGTERM);
        _exit(0);
}

/* The watcher is a grandchild, so that the program doesn't find a child that it didn't start. */
static int end_with(pid_t parent)
{
        pid_t child = getpid();
        pid_t between = fork();

        if (between == 0) {
                if (setsid() >= 0 && fork() == 0)
                        watch(parent, child);
                _exit(0);
        }
        if (between < 0)
                return -1;
        while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
                ;
        if (getppid() != parent)
                _exit(1);
        return 0;
}

struct how {
        const posix_spawn_file_actions_t *actions;
        const posix_spawnattr_t *attributes;
};

static _noreturn_ void become(const struct spawn *spawn, const void *data, pid_t parent, int trouble)
{
        const struct how *how = data;
        int failure = 0;

        if (end_with(parent) < 0 || (spawn->new_session && setsid() < 0) || (spawn->new_group && setpgid(0, 0) < 0))
                failure = errno;
        if (failure == 0)
                failure = posix_spawn(NULL, spawn->program, how->actions, how->attributes, spawn->argv, spawn->environment);
        (void)!write(trouble, &failure, sizeof(failure));
        _exit(127);
}

/* --- in the parent */

int spawn(const struct spawn *spawn, pid_t *pid)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        _cleanup_(actions_destroyp) _unused_ posix_spawn_file_actions_t *actions_owner = &actions;
        _cleanup_(attributes_destroyp) _unused_ posix_spawnattr_t *attributes_owner = &attributes;
        int failure;

        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        failure = set_attributes(spawn, &attributes);
        if (failure == 0)
                failure = add_actions(spawn, &actions);
        if (failure != 0)
                return failure;
        return spawn->outlives ? posix_spawn(pid, spawn->program, &actions, &attributes, spawn->argv, spawn->environment)
                               : spawn_fork(spawn, become, &(struct how){ &actions, &attributes }, pid);
}
