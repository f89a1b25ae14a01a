#include "board/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "board/signals.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/text.h"

/*
 * It stopped, as by Ctrl-Z, which stops us too. Some stop themselves alone (ssh's ~^Z): then we do as well, so that the shell
 * gets the terminal. When no shell has started us, nobody could wake us again; so we wake it at once.
 */
static void stop_with(pid_t pid)
{
        if (getsid(0) == getpid())
                kill(pid, SIGCONT);
        else
                raise(SIGSTOP);
}

/* Returns true once it has ended. */
static bool look(pid_t pid, int *status)
{
        pid_t found = waitpid(pid, status, WNOHANG | WUNTRACED);

        if (found == pid && WIFSTOPPED(*status)) {
                stop_with(pid);
                return false;
        }
        return found == pid || (found < 0 && errno != EINTR);
}

/* Ctrl-C is for the other program. An end that somebody asked us for is handed on to it. */
static int await_end(pid_t pid, bool *asked_to_end)
{
        struct pollfd fd = { .fd = signals_fd(), .events = POLLIN };
        int status = 0;

        while (!look(pid, &status)) {
                int number;

                if (poll(&fd, 1, -1) < 0 && errno != EINTR)
                        break;
                while ((number = signals_take()) >= 0)
                        if (number == SIGTERM || number == SIGHUP) {
                                *asked_to_end = true;
                                kill(pid, number);
                        }
        }
        return status;
}

/* Waits for Enter, or for the end of the terminal. */
static void await_enter(bool *asked_to_end)
{
        struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = signals_fd(), .events = POLLIN } };
        char byte = 0;

        while (byte != '\n' && !*asked_to_end) {
                int number;

                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        return;
                while ((number = signals_take()) >= 0)
                        *asked_to_end |= number == SIGTERM || number == SIGHUP;
                if (fds[0].revents && read(STDIN_FILENO, &byte, 1) <= 0)
                        return;
        }
}

int child_run(const char *const *argv, bool read, bool *asked_to_end, struct error **err)
{
        _cleanup_(strv_clear) struct strv whole = STRV_INIT;
        _cleanup_(freep) char *program = os_program_path(err);
        _cleanup_(freep) char *said = text_shell_join(argv);
        pid_t pid;
        int status;

        if (!program)
                return -1;
        strv_add(&whole, program);
        for (size_t i = 0; argv[i]; i++)
                strv_add(&whole, argv[i]);
        printf("machine %s\n", said);
        fflush(stdout);
        if (process_spawn(&(struct process_spec){ .argv = strv_argv(&whole),
                                                  .stdin_fd = PROCESS_INHERIT,
                                                  .stdout_fd = PROCESS_INHERIT,
                                                  .stderr_fd = PROCESS_INHERIT },
                          &pid, err) < 0)
                return -1;
        status = process_exit_status(await_end(pid, asked_to_end));
        if (*asked_to_end || (status == 0 && !read) || status == 128 + SIGINT)
                return status;
        if (status == 0)
                printf("\nEnter: back to the board ");
        else
                printf("\nexit status %d. Enter: back to the board ", status);
        fflush(stdout);
        await_enter(asked_to_end);
        return status;
}
