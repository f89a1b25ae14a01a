/* process_guard_begin(): does something when this program was killed before it could. */
#include "lib/process.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "lib/os.h"
#include "lib/process-spawn.h"

#define END_MS 10000

/* Waits for the end of the program, whose end of the pipe nobody else has. */
static void await_end(int fd)
{
        char byte;

        while (read(fd, &byte, 1) < 0 && errno == EINTR)
                ;
}

/* In a session of its own: what is sent to the program's group, or hung up with its terminal, doesn't reach it. */
static _noreturn_ void guard_main(int fd, void (*act)(void *), void *data)
{
        sigset_t none;

        setsid();
        for (int number = 1; number < NSIG; number++)
                signal(number, SIG_DFL);
        spawn_close_all_but(fd);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        await_end(fd);
        act(data);
        _exit(0);
}

int process_guard_begin(struct process_guard *guard, void (*act)(void *data), void *data, struct error **err)
{
        sigset_t all, before;
        int ends[2];

        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        guard->pid = fork();
        if (guard->pid == 0)
                guard_main(ends[0], act, data);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        close(ends[0]);
        if (guard->pid > 0) {
                guard->fd = ends[1];
                return 0;
        }
        error_errno(err, ERROR_FAILED, "cannot start a process");
        close(ends[1]);
        return -1;
}

void process_guard_end(struct process_guard *guard)
{
        if (guard->pid > 0) {
                kill(guard->pid, SIGKILL);
                process_wait(guard->pid, END_MS, NULL, NULL);
        }
        closep(&guard->fd);
        *guard = (struct process_guard)PROCESS_GUARD_INIT;
}
