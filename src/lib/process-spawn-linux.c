#include "lib/process-spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/util.h"

/* From here to become() everything runs in the child between fork(2) and execve(2): only what signal-safety(7) allows. */

static int open_null(int as)
{
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        int status;

        if (fd == as)
                return fcntl(fd, F_SETFD, 0);
        status = fd < 0 ? -1 : dup2(fd, as);
        if (fd >= 0)
                close(fd);
        return status;
}

static bool is_kept(const struct spawn *spawn, int fd)
{
        for (size_t i = 0; i < spawn->count; i++)
                if (spawn->fds[i].to == fd)
                        return true;
        return false;
}

/* The sources are above every number that is written to, and so is `trouble` after its move. */
static int place_fds(const struct spawn *spawn, int *trouble)
{
        int moved = spawn->highest + 1;

        if (*trouble != moved && dup3(*trouble, moved, O_CLOEXEC) < 0)
                return -1;
        *trouble = moved;
        for (size_t i = 0; i < spawn->count; i++) {
                const struct spawn_fd *fd = &spawn->fds[i];

                if (fd->from == SPAWN_NULL ? open_null(fd->to) < 0 : fd->from >= 0 && dup2(fd->from, fd->to) < 0)
                        return -1;
        }
        for (int fd = 0; fd <= spawn->highest; fd++)
                if (!is_kept(spawn, fd))
                        close(fd);
        closefrom(moved + 1);
        return 0;
}

/* When we have ended before the child asked to be told, it has another parent by now. */
static void end_with(pid_t parent)
{
        if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0 && getppid() != parent)
                _exit(1);
}

static _noreturn_ void become(const struct spawn *spawn, const void *data _unused_, pid_t parent, int trouble)
{
        sigset_t none;
        int failure;

        sigemptyset(&none);
        for (int number = 1; number < NSIG; number++)
                signal(number, SIG_DFL);
        if (!spawn->outlives)
                end_with(parent);
        if ((!spawn->new_session || setsid() >= 0) && (!spawn->new_group || setpgid(0, 0) == 0) &&
            (!spawn->folder || chdir(spawn->folder) == 0) && place_fds(spawn, &trouble) == 0 &&
            sigprocmask(SIG_SETMASK, &none, NULL) == 0)
                execve(spawn->program, spawn->argv, spawn->environment);
        failure = errno;
        (void)!write(trouble, &failure, sizeof(failure));
        _exit(127);
}

int spawn(const struct spawn *spawn, pid_t *pid)
{
        return spawn_fork(spawn, become, NULL, pid);
}

void spawn_close_all_but(int kept)
{
        for (int fd = 0; fd < kept; fd++)
                close(fd);
        closefrom(kept + 1);
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fd != kept)
                        open_null(fd);
}
