#include "board/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "lib/os.h"

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH, SIGCHLD };
static int ends[2] = { -1, -1 };

static void on_signal(int number)
{
        int saved = errno;
        unsigned char byte = (unsigned char)number;

        if (write(ends[1], &byte, 1) < 0) {
                /* The pipe is full of what was not looked at yet. */
        }
        errno = saved;
}

int signals_catch(int *fd, struct error **err)
{
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

        if (os_pipe_nonblocking(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                struct sigaction before;

                /* One that is ignored stays so: whoever started the program wants it to go on (nohup(1)). */
                if (numbers[i] == SIGHUP && sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
                        continue;
                sigaction(numbers[i], &action, NULL);
        }
        *fd = ends[1];
        return 0;
}

int signals_fd(void)
{
        return ends[0];
}

int signals_take(void)
{
        unsigned char byte;

        return read(ends[0], &byte, 1) == 1 ? byte : -1;
}

void signals_stop(void)
{
        struct sigaction caught;

        sigaction(SIGTSTP, NULL, &caught);
        signal(SIGTSTP, SIG_DFL);
        kill(0, SIGTSTP);
        sigaction(SIGTSTP, &caught, NULL);
}
