#include "keys/outer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys/channel.h"
#include "keys/question.h"
#include "keys/record.h"
#include "lib/file.h"
#include "lib/loop.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/unix-socket.h"

#define READY_MS 30000
#define END_MS   2000

struct outer {
        const struct settings *settings;
        struct loop *loop;
        struct channel channel;
        struct question question;
        pid_t inner, program;
        struct loop_source *channel_source;
        bool ready, full;
        char *failure; /* of the inner process, before it was ready */
        int status;    /* the program's, once it has ended */
};

/* --- the inner process */

/* Does nothing more for the inner process. */
static void let_go(struct outer *outer)
{
        loop_remove(outer->loop, TAKE_PTR(outer->channel_source));
        closep(&outer->channel.fd);
        outer->channel.fd = -1;
        question_withdraw(&outer->question);
}

static void tell(struct outer *outer, enum word_kind kind, uint32_t number, enum answer answer, int passed)
{
        if (outer->channel.fd >= 0 && channel_send(&outer->channel, kind, number, answer, NULL, passed) < 0)
                let_go(outer);
}

/* An agent with a full queue counts as none: nothing waits for it. */
static int connect_agent(const struct settings *settings)
{
        struct sockaddr_un address;
        _cleanup_(closep) int fd = -1;

        if (unix_socket_address(settings->agent, &address) < 0)
                return -1;
        fd = os_socket(AF_UNIX, SOCK_STREAM);
        if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
            connect(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) < 0)
                return -1;
        return TAKE_FD(fd);
}

static void hand_over_agent(struct outer *outer, uint32_t number)
{
        _cleanup_(closep) int fd = connect_agent(outer->settings);

        tell(outer, WORD_AGENT, number, 0, fd);
}

static void on_answer(uint32_t number, enum answer answer, void *data)
{
        tell(data, WORD_ANSWER, number, answer, -1);
}

static void write_down(struct outer *outer, const struct word *word)
{
        bool full;

        record_add(outer->settings->log, word->kind == WORD_DONE, word->text);
        full = record_is_full(outer->settings->log);
        if (full != outer->full)
                tell(outer, WORD_FULL, 0, full, -1);
        outer->full = full;
}

/* Does what the inner process asks for. Returns false, so that it is let go, after WORD_FAILED and for anything else. */
static bool do_word(struct outer *outer, const struct word *word)
{
        switch (word->kind) {
        case WORD_READY:
                outer->ready = true;
                return true;
        case WORD_FAILED:
                set_string(&outer->failure, xstrdup(word->text));
                return false;
        case WORD_CONNECT:
                hand_over_agent(outer, word->number);
                return true;
        case WORD_ASK:
                if (!outer->settings->confirm)
                        return false;
                question_ask(&outer->question, word->number, word->text);
                return true;
        case WORD_WITHDRAW:
                question_withdraw(&outer->question);
                return true;
        case WORD_DONE:
        case WORD_OTHER:
                write_down(outer, word);
                return true;
        default:
                return false;
        }
}

static void on_word(struct loop *loop _unused_, int fd _unused_, short revents _unused_, void *data)
{
        struct outer *outer = data;
        struct word word;
        int got = channel_receive(&outer->channel, &word, NULL);

        if (got < 0 || (got > 0 && !do_word(outer, &word)))
                let_go(outer);
}

/*
 * Removes the sockets of killed ones. A socket is named after the process that made its session (guest/session.c), and nobody
 * listens on it any more.
 */
static void sweep(const char *socket)
{
        static const char prefix[] = "keys-";
        _cleanup_(freep) char *folder = path_folder(socket);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_list(folder, &names, NULL) < 0)
                return;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(folder, names.items[i]);
                _cleanup_(closep) int fd = -1;
                pid_t pid;

                if (!starts_with(names.items[i], prefix))
                        continue;
                pid = (pid_t)strtol(names.items[i] + strlen(prefix), NULL, 10);
                if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH)
                        continue;
                fd = unix_socket_connect(path);
                if (fd < 0 && errno == ECONNREFUSED)
                        unlink(path);
        }
}

/* Only the inner process has the socket, so that nobody waits on it once that process has ended. */
static int start_inner(struct outer *outer, struct error **err)
{
        _cleanup_(closep) int listener = unix_socket_listen(outer->settings->socket);
        _cleanup_(freep) char *own = os_program_path(err);
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(closep) int theirs = -1;
        int ends[2];

        if (listener < 0)
                return error_errno(err, ERROR_FAILED, "cannot listen on '%s'", outer->settings->socket);
        sweep(outer->settings->socket);
        if (!own)
                return -1;
        if (os_socket_pair(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pair of sockets");
        outer->channel.fd = ends[0];
        theirs = ends[1];
        strv_adds(&argv, own, "--inner", NULL);
        strv_add_all(&argv, &outer->settings->inner);
        return process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .fds = (const struct process_fd[]){ { CHANNEL_FD, theirs },
                                                                                         { LISTENER_FD, listener } },
                                                     .fd_count = 2,
                                                     /* Keeps Ctrl-C from it, and it from the terminal. */
                                                     .new_session = true },
                             &outer->inner, err);
}

static void on_not_ready(struct loop *loop _unused_, void *data)
{
        *(bool *)data = true;
}

static int await_inner(struct outer *outer, struct error **err)
{
        bool late = false;
        struct loop_source *timer = loop_add_timer(outer->loop, READY_MS, on_not_ready, &late);

        outer->channel_source = loop_add_fd(outer->loop, outer->channel.fd, POLLIN, on_word, outer);
        while (!outer->ready && !late && outer->channel.fd >= 0)
                if (loop_step(outer->loop, -1, err) < 0)
                        return -1;
        if (!late)
                loop_remove(outer->loop, timer);
        if (outer->failure)
                return error_set(err, ERROR_FAILED, "machine-keys can't be confined: %s", outer->failure);
        return outer->ready ? 0
                            : error_set(err, ERROR_FAILED, "machine-keys did not start: 'machine doctor' says what is missing");
}

/*
 * The inner process writes down what it has counted, and ends by itself. If it ended badly, this says so, now that the
 * terminal is free again.
 */
static void end_inner(struct outer *outer)
{
        bool late = false;
        int status = 0;

        if (outer->channel.fd >= 0) {
                shutdown(outer->channel.fd, SHUT_WR);
                loop_add_timer(outer->loop, END_MS, on_not_ready, &late);
        }
        while (outer->channel.fd >= 0 && !late && loop_step(outer->loop, -1, NULL) == 0)
                ;
        if (outer->channel.fd >= 0)
                let_go(outer);
        if (outer->inner > 0 && process_wait(outer->inner, END_MS, &status, NULL) == 0) {
                kill(outer->inner, SIGKILL);
                process_wait(outer->inner, END_MS, &status, NULL);
        }
        if (outer->ready && status != 0) {
                _cleanup_(freep) char *text = process_status_text(status);

                fprintf(stderr, "machine: machine-keys stopped lending the agent too early: its inner process ended with %s\n",
                        text);
        }
}

/* --- the program */

static void on_end(struct loop *loop, int fd _unused_, short revents _unused_, void *data)
{
        struct outer *outer = data;
        int status;

        if (waitpid(outer->program, &status, 0) != outer->program)
                return;
        outer->status = process_exit_status(status);
        loop_quit(loop, outer->status);
}

static volatile sig_atomic_t child_to_end, told;

/* A signal that comes before the child is passed on once there is one. */
static void on_signal(int number)
{
        if (child_to_end > 0)
                kill((pid_t)child_to_end, number);
        else
                told = number;
}

/* Passes signals that we get on to the program. Called before anybody can see us. */
static void pass_signals(void)
{
        struct sigaction pass = { .sa_handler = on_signal };

        sigaction(SIGTERM, &pass, NULL);
        sigaction(SIGHUP, &pass, NULL);
        signal(SIGPIPE, SIG_IGN);
}

/* Leaves Ctrl-C to the program. Called after its start, because it would inherit the ignored signals. */
static void mind_child(pid_t child)
{
        signal(SIGINT, SIG_IGN);
        signal(SIGQUIT, SIG_IGN);
        child_to_end = (sig_atomic_t)child;
        if (told)
                kill(child, told);
}

static int run_program(struct outer *outer, const char *const *program, struct error **err)
{
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;
        _cleanup_(freep) char *variable = xasprintf("SSH_AUTH_SOCK=%s", outer->settings->socket);
        _cleanup_(closep) int process_fd = -1;
        struct loop_source *source;
        int status;

        process_environment(&environment, (const char *const[]){ variable, NULL });
        if (process_spawn(&(struct process_spec){ .argv = program,
                                                  .environment = strv_argv(&environment),
                                                  .stdin_fd = PROCESS_INHERIT,
                                                  .stdout_fd = PROCESS_INHERIT,
                                                  .stderr_fd = PROCESS_INHERIT },
                          &outer->program, err) < 0)
                return -1;
        mind_child(outer->program);
        process_fd = os_process_fd(outer->program);
        if (process_fd < 0)
                return error_errno(err, ERROR_FAILED, "cannot watch '%s'", program[0]);
        source = loop_add_fd(outer->loop, process_fd, POLLIN, on_end, outer);
        status = loop_run(outer->loop, err);
        loop_remove(outer->loop, source);
        return status;
}

static int run(struct outer *outer, const char *const *program, struct error **err)
{
        pass_signals();
        if (start_inner(outer, err) < 0)
                return error_wrap(err, "cannot start machine-keys");
        if (await_inner(outer, err) < 0)
                return -1;
        outer->full = record_is_full(outer->settings->log);
        if (outer->full)
                tell(outer, WORD_FULL, 0, true, -1);
        return run_program(outer, program, err);
}

int outer_run(const struct settings *settings, const char *const *program, struct error **err)
{
        _cleanup_(loop_freep) struct loop *loop = loop_new();
        _cleanup_(freep) char *patience = xasprintf("%s.asked", settings->log);
        struct outer outer = {
                .settings = settings,
                .loop = loop,
                .channel = CHANNEL_INIT,
                .question = { .loop = loop, .vm = settings->confirm, .patience = patience, .on_answer = on_answer },
        };
        int status;

        outer.question.data = &outer;
        status = run(&outer, program, err);
        end_inner(&outer);
        unlink(settings->socket);
        free(outer.failure);
        return status;
}
