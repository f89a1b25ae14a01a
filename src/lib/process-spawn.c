#include "lib/process-spawn.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/os.h"
#include "lib/util.h"

/* The pipe closes by itself when the child has become the program. */
static int read_trouble(int fd)
{
        int failure = 0;
        ssize_t got;

        do
                got = read(fd, &failure, sizeof(failure));
        while (got < 0 && errno == EINTR);
        return got == (ssize_t)sizeof(failure) ? failure : 0;
}

static void reap(pid_t pid)
{
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}

int spawn_fork(const struct spawn *spawn, spawn_become_fn become, const void *data, pid_t *pid)
{
        _cleanup_(closep) int reading = -1;
        pid_t parent = getpid(), child;
        sigset_t all, before;
        int ends[2];
        int failure;

        if (os_pipe(ends) < 0)
                return errno;
        reading = ends[0];
        /* A handler of ours must not run in the child. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        child = fork();
        if (child == 0)
                become(spawn, data, parent, ends[1]);
        failure = child < 0 ? errno : 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        close(ends[1]);
        if (failure == 0)
                failure = read_trouble(reading);
        if (failure == 0)
                *pid = child;
        else if (child > 0)
                reap(child);
        return failure;
}
