/*
 * `machine run`: runs a command in the guest as if it were here, with our stdio, exit status, terminal and signals.
 *
 * With a terminal, ssh's own pty passes Ctrl-C on, and we become ssh. Without one, ssh would end and leave the command running.
 * So we stay, and send each signal to the command's process group through a second session over the same master.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/command.h"
#include "guest/folder.h"
#include "guest/session.h"
#include "lib/deadline.h"
#include "lib/os.h"
#include "operation/running.h"
#include "vm/vm.h"

struct run_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct run_options),
        { 0 },
};

static const struct {
        int number;
        const char *name;
} forwarded[] = {
        { SIGINT, "INT" },   { SIGTERM, "TERM" }, { SIGHUP, "HUP" },
        { SIGQUIT, "QUIT" }, { SIGUSR1, "USR1" }, { SIGUSR2, "USR2" },
};

static int signal_pipe[2] = { -1, -1 };

static void on_signal(int number)
{
        int saved = errno;
        unsigned char byte = (unsigned char)number;

        if (write(signal_pipe[1], &byte, 1) < 0) {
                /* The pipe is full of signals already on their way. */
        }
        errno = saved;
}

static int watch_signals(struct error **err)
{
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

        if (os_pipe(signal_pipe) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        for (size_t i = 0; i < ARRAY_SIZE(signal_pipe); i++)
                if (fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK) < 0)
                        return error_errno(err, ERROR_FAILED, "cannot set up a pipe");
        for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
                sigaction(forwarded[i].number, &action, NULL);
        return 0;
}

/*
 * The shell that runs the command leads the session's process group. It is found by the tag at the beginning of its script. The
 * pattern is written so that it doesn't match the arguments of this search.
 */
static void forward(const struct session *session, const char *tag, int number)
{
        static const char script[] = "for line in $(grep -lzs -- \"[m]achine-run-$1;\" /proc/[0-9]*/cmdline); do\n"
                                     "        leader=${line#/proc/}\n"
                                     "        kill -s \"$2\" -- \"-${leader%/cmdline}\" 2>/dev/null\n"
                                     "done\n";
        struct session quiet = { .vm = session->vm }; /* without the agent it goes over the shared connection */
        const char *name = "TERM";

        for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
                if (forwarded[i].number == number)
                        name = forwarded[i].name;
        /* If the guest can't be reached any more, the command ends by itself. */
        session_script(&quiet, script, (const char *const[]){ tag, name, NULL }, 5000, NULL, NULL, NULL, NULL);
}

static int wait_forwarding(const struct session *session, pid_t pid, const char *tag, int *status, struct error **err)
{
        int process = os_process_fd(pid);
        struct pollfd fds[] = { { .fd = process, .events = POLLIN }, { .fd = signal_pipe[0], .events = POLLIN } };

        if (process < 0)
                return error_errno(err, ERROR_FAILED, "cannot watch ssh");
        for (;;) {
                unsigned char number;

                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR) {
                        closep(&process);
                        return error_errno(err, ERROR_FAILED, "cannot wait for ssh");
                }
                if (fds[0].revents)
                        break;
                if (fds[1].revents && read(signal_pipe[0], &number, 1) == 1)
                        forward(session, tag, number);
        }
        closep(&process);
        return process_wait(pid, -1, status, err) < 0 ? -1 : 0;
}

static int run_forwarding(const struct session *session, const char *script, struct error **err)
{
        _cleanup_(freep) char *tag = xasprintf("%ld-%lld", (long)getpid(), (long long)now_ms());
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(freep) char *remote =
                xasprintf(": machine-run-%s; trap : INT TERM HUP QUIT USR1 USR2; %s; exit $?", tag, script);
        pid_t pid;
        int status = 0;

        session_argv(session, remote, &argv);
        if (watch_signals(err) < 0 || process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                                            .stdin_fd = PROCESS_INHERIT,
                                                                            .stdout_fd = PROCESS_INHERIT,
                                                                            .stderr_fd = PROCESS_INHERIT,
                                                                            .new_session = true },
                                                    &pid, err) < 0)
                return -1;
        if (wait_forwarding(session, pid, tag, &status, err) < 0)
                return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const char *const *tail = invocation_tail(invocation);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        struct session session = { .vm = &vm };
        _cleanup_(freep) char *script = NULL;

        if (!tail) {
                error_set(err, ERROR_USAGE, "no command to run");
                return error_hint(err, "machine run %s -- COMMAND",
                                  invocation_name(invocation) ? invocation_name(invocation) : "NAME");
        }
        if (running_open(&context->front, invocation_name(invocation), &vm, err) < 0)
                return -1;
        script = folder_script(&vm, tail);
        session.forward_agent = vm.record.forward_agent;
        output_settle(context->output);
        if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
                _cleanup_(freep) char *told = folder_keep_status(script);

                session.terminal = SESSION_TERMINAL;
                return session_exec(&session, told, err);
        }
        return run_forwarding(&session, script, err);
}

const struct command command_run = {
        .name = "run",
        .operands = "[NAME] -- COMMAND…",
        .summary = "run a command in the project's folder",
        .text = "Keeps stdin, stdout, stderr, signals, the terminal and the exit status. Starts the VM if it is stopped.",
        .options = options,
        .options_size = sizeof(struct run_options),
        .operands_most = SIZE_MAX,
        .stop_at_operand = true,
        .run = run,
};
