/*
 * `machine run`: runs a command in the guest as if it were here, with our stdio, exit status, terminal and signals.
 *
 * With a terminal, ssh's own pty passes Ctrl-C on, and we become ssh. Without one, ssh would end and leave the command running.
 * So we stay, and send each signal to the command's process group through a second session over the same master. The second
 * signal that asks for an end gets it at once, whatever the guest does. When we are killed, or the master is, the command gets
 * a SIGHUP in the same way, as it would have with a terminal.
 *
 * When the guest is paused meanwhile, this says so, and lets it go on as soon as it can.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/command.h"
#include "guest/folder.h"
#include "guest/session.h"
#include "lib/deadline.h"
#include "lib/os.h"
#include "lib/text.h"
#include "operation/running.h"
#include "vm/vm.h"

#define SSH_FAILED 255 /* ssh(1), EXIT STATUS: its own, or the command's */

struct run_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct run_options),
        { 0 },
};

/* A terminal and a program that passes signals on may both send what the person typed once. */
#define SAME_MS 200
/* Between two looks whether the guest is paused */
#define LOOK_MS 5000

static const struct {
        const char *name;
        int number;
        bool ends; /* it asks for the end */
} forwarded[] = {
        { "INT", SIGINT, true },   { "TERM", SIGTERM, true },  { "HUP", SIGHUP, true },
        { "QUIT", SIGQUIT, true }, { "USR1", SIGUSR1, false }, { "USR2", SIGUSR2, false },
};

static int signal_pipe[2] = { -1, -1 };
static volatile pid_t ssh_pid; /* 0 = not started. Its process group may have the master of all sessions in it */
static volatile int64_t asked; /* when the end was asked for first; 0 = it was not */

static bool asks_for_end(int number)
{
        for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
                if (forwarded[i].number == number)
                        return forwarded[i].ends;
        return false;
}

/* The first request goes to the guest. The second ends ssh and us here, for what waits for the guest may wait for ever. */
static void on_signal(int number)
{
        int saved = errno;
        unsigned char byte = (unsigned char)number;

        if (asks_for_end(number)) {
                if (asked > 0 && now_ms() - asked > SAME_MS) {
                        if (ssh_pid > 0)
                                kill(ssh_pid, SIGTERM);
                        signal(number, SIG_DFL);
                        raise(number);
                }
                if (asked == 0)
                        asked = now_ms();
        }

        if (write(signal_pipe[1], &byte, 1) < 0) {
                /* The pipe is full of signals already on their way. */
        }
        errno = saved;
}

static int watch_signals(struct error **err)
{
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

        if (os_pipe_nonblocking(signal_pipe) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
                sigaction(forwarded[i].number, &action, NULL);
        return 0;
}

/* How often a command is looked for that isn't found, because sshd may be about to start it; and how long all of that may take.
 */
struct patience {
        const char *tries;
        int limit_ms;
};

static const struct patience little = { "1", 5000 };
static const struct patience much = { "5", 60000 };

/*
 * The shell that runs the command leads the session's process group. It is found by the tag at the beginning of its script. The
 * pattern is written so that it doesn't match the arguments of this search.
 */
static void forward(const struct session *session, const char *tag, int number, struct patience patience)
{
        static const char script[] = "left=$3 found=\n"
                                     "while [ -z \"$found\" ] && [ \"$left\" -gt 0 ]; do\n"
                                     "        for line in $(grep -lzs -- \"[m]achine-run-$1;\" /proc/[0-9]*/cmdline); do\n"
                                     "                leader=${line#/proc/}\n"
                                     "                kill -s \"$2\" -- \"-${leader%/cmdline}\" 2>/dev/null && found=yes\n"
                                     "        done\n"
                                     "        left=$((left - 1))\n"
                                     "        [ -n \"$found\" ] || [ \"$left\" = 0 ] || sleep 0.3\n"
                                     "done\n";
        struct session quiet = { .vm = session->vm }; /* without the agent it goes over the shared connection */
        const char *name = "TERM";

        for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
                if (forwarded[i].number == number)
                        name = forwarded[i].name;
        /* If the guest can't be reached any more, the command ends by itself. */
        session_script(&quiet, script, (const char *const[]){ tag, name, patience.tries, NULL }, patience.limit_ms, NULL, NULL,
                       NULL, NULL);
}

/* Lets a paused guest go on. Says once why it can't. */
static void look(const struct session *session, struct event_sink *events, bool *said)
{
        _cleanup_(error_freep) struct error *reason = NULL;

        if (vm_resume(session->vm, &reason) == 0) {
                if (*said)
                        event_note(events, "VM '%s' goes on", session->vm->name);
                *said = false;
                return;
        }
        if (!*said) {
                _cleanup_(freep) char *text = error_text(reason);

                event_warning(events, "%s%s%s", text, reason->hint ? "; " : "", reason->hint ? reason->hint : "");
        }
        *said = true;
}

static int wait_forwarding(const struct session *session, struct event_sink *events, pid_t pid, const char *tag, int *status,
                           struct error **err)
{
        int process = os_process_fd(pid);
        struct pollfd fds[] = { { .fd = process, .events = POLLIN }, { .fd = signal_pipe[0], .events = POLLIN } };

        deadline next = deadline_in(LOOK_MS);
        bool said = false;

        if (process < 0)
                return error_errno(err, ERROR_FAILED, "cannot watch ssh");
        for (;;) {
                unsigned char number;

                if (poll(fds, ARRAY_SIZE(fds), deadline_left(next)) < 0) {
                        if (errno == EINTR)
                                continue;
                        closep(&process);
                        return error_errno(err, ERROR_FAILED, "cannot wait for ssh");
                }
                if (deadline_passed(next)) {
                        look(session, events, &said);
                        next = deadline_in(LOOK_MS);
                }
                if (fds[0].revents)
                        break;
                if (fds[1].revents && read(signal_pipe[0], &number, 1) == 1)
                        forward(session, tag, number, little);
        }
        closep(&process);
        return process_wait(pid, -1, status, err) < 0 ? -1 : 0;
}

struct command_there {
        const struct session *session;
        const char *tag;
};

/* Tells the command that nobody is there any more. */
static void hang_up(void *data)
{
        const struct command_there *there = data;

        forward(there->session, there->tag, SIGHUP, much);
}

/* After a SIGHUP the shell waits for a command that runs, and starts none. */
static int run_forwarding(const struct session *session, struct event_sink *events, const char *script, struct error **err)
{
        _cleanup_(freep) char *tag = xasprintf("%ld-%lld", (long)getpid(), (long long)now_ms());
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(freep) char *remote =
                xasprintf(": machine-run-%s; trap : INT TERM QUIT USR1 USR2; trap 'exit $?' HUP; %s; exit $?", tag, script);
        struct command_there there = { session, tag };
        _cleanup_(process_guard_end) struct process_guard guard = PROCESS_GUARD_INIT;
        pid_t pid;
        int status = 0;

        session_argv(session, remote, &argv);
        if (process_guard_begin(&guard, hang_up, &there, err) < 0 || watch_signals(err) < 0 ||
            process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                  .stdin_fd = PROCESS_INHERIT,
                                                  .stdout_fd = PROCESS_INHERIT,
                                                  .stderr_fd = PROCESS_INHERIT,
                                                  .new_session = true },
                          &pid, err) < 0)
                return -1;
        ssh_pid = pid;
        if (wait_forwarding(session, events, pid, tag, &status, err) < 0)
                return -1;
        /* The command goes on when the connection is gone, or who held it was killed. */
        if (!WIFEXITED(status) || WEXITSTATUS(status) == SSH_FAILED)
                forward(session, tag, SIGHUP, little);
        return process_exit_status(status);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const char *const *tail = invocation_tail(invocation);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        struct session session = { .vm = &vm };
        _cleanup_(freep) char *script = NULL;

        if (!tail) {
                const char *name = invocation_name(invocation) ? invocation_name(invocation) : "NAME";
                _cleanup_(freep) char *shown = text_shell_join((const char *const[]){ name, NULL });

                error_set(err, ERROR_USAGE, "no command to run");
                return error_hint(err, "machine run %s -- COMMAND", shown);
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
        return run_forwarding(&session, context->front.events, script, err);
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
