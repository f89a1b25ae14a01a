/*
 * machine-keys: all that a guest sees of this computer's ssh agent, for as long as one program (ssh) runs.
 *
 *         machine-keys --agent=SOCKET --socket=SOCKET --log=FILE [--key=SHA256:…]… [--comment=TEXT]… [--host=SHA256:…=NAME]…
 *                 [--confirm=NAME] -- PROGRAM [ARGUMENT]…
 *
 * It listens at --socket, which only we can reach, hands PROGRAM that as SSH_AUTH_SOCK, passes on what the guest may ask of the
 * agent at --agent, and ends with PROGRAM and its exit status. Without --key and --comment all keys may be used; with --host
 * log-ins are to hosts with these keys alone, and the agent is not lent further. With --confirm the person at this computer is
 * asked before each log-in and signature, for the VM of that name (confirm.h). Each request but a list is a line of the log.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keys/confirm.h"
#include "keys/harden.h"
#include "keys/hosts.h"
#include "keys/protocol.h"
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/text.h"
#include "lib/unix-socket.h"

#define CLIENTS_MOST 64
#define LOG_MOST     (1 << 20)
/* A person may have to approve a signature; an agent that is locked answers never. */
#define ANSWER_MS (5 * 60 * 1000)
/* Who has just said no isn't asked again at once. */
#define DENIED_MS (10 * 1000)

struct client;

/* To the person at this computer: one at a time. */
struct question {
        struct client *client; /* that waits for it; NULL = none is open */
        struct strbuf message; /* the client's, for the agent */
        pid_t child;
        int process_fd;
        struct loop_source *source, *timer;
        int64_t denied_until; /* by now_ms() */
};

struct keys {
        const char *agent, *socket, *log;
        struct selection selection;
        struct key_hosts hosts;
        struct loop *loop;
        int listener;
        size_t clients;
        pid_t child;
        const char *confirm; /* the VM's name; NULL = nobody is asked */
        struct question question;
};

/* One connection of the guest's, and, from its first request on, ours to the agent for it. */
struct client {
        struct keys *keys;
        int fd, agent;
        struct loop_source *source, *agent_source, *timer;
        struct strbuf in, answer; /* of the guest; of the agent */
        struct request request;   /* that is waited for */
        struct binds binds;
        bool waiting;
};

/* --- the log */

static void add_text(json_t *line, const char *key, const char *text)
{
        if (text)
                json_object_set_new(line, key, json_string(text));
}

static void log_request(const struct keys *keys, const struct request *request, const char *verdict)
{
        static const char *const kinds[] = { "list", "login", "signature", "bind", "other" };
        _cleanup_(freep) char *time_text = text_format_time(time(NULL));
        _cleanup_(json_decrefp) json_t *line = json_object();
        _cleanup_(freep) char *text = NULL;
        _cleanup_(freep) char *whole = NULL;
        _cleanup_(closep) int fd = open(keys->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct stat status;

        if (fd < 0 || request->kind == REQUEST_LIST || fstat(fd, &status) < 0)
                return;
        if (status.st_size > LOG_MOST && ftruncate(fd, 0) < 0)
                return;
        add_text(line, "time", time_text);
        add_text(line, "request", kinds[request->kind]);
        add_text(line, "verdict", verdict);
        add_text(line, "key", request->key);
        add_text(line, "what", request->what);
        add_text(line, "host", request->host);
        add_text(line, "name", request->name);
        add_text(line, "reason", request->reason);
        text = json_text(line);
        whole = xasprintf("%s\n", text);
        /* One write, so that the lines of two sessions don't mix. */
        if (write(fd, whole, strlen(whole)) < 0)
                return;
}

/* --- a client */

static void drop_agent(struct client *client)
{
        loop_remove(client->keys->loop, TAKE_PTR(client->agent_source));
        loop_remove(client->keys->loop, TAKE_PTR(client->timer));
        if (client->agent >= 0)
                close(client->agent);
        client->agent = -1;
        strbuf_truncate(&client->answer, 0);
}

static void close_question(struct keys *keys)
{
        struct question *question = &keys->question;

        loop_remove(keys->loop, TAKE_PTR(question->source));
        loop_remove(keys->loop, TAKE_PTR(question->timer));
        close(question->process_fd);
        strbuf_truncate(&question->message, 0);
        question->client = NULL;
}

/* Nobody waits for the answer any more. */
static void withdraw_question(struct keys *keys)
{
        os_process_signal(keys->question.process_fd, SIGTERM);
        waitpid(keys->question.child, NULL, 0);
        close_question(keys);
}

static void drop(struct client *client)
{
        if (client->keys->question.client == client)
                withdraw_question(client->keys);
        drop_agent(client);
        loop_remove(client->keys->loop, client->source);
        close(client->fd);
        client->keys->clients--;
        strbuf_clear(&client->in);
        strbuf_clear(&client->answer);
        request_clear(&client->request);
        binds_clear(&client->binds);
        free(client);
}

/* Small against a socket's buffer, or the guest doesn't read: then it is let go. */
static bool send_all(int fd, const void *data, size_t length)
{
        return send(fd, data, length, MSG_DONTWAIT) == (ssize_t)length;
}

static bool send_message(int fd, const void *message, size_t length)
{
        const unsigned char head[] = { length >> 24 & 0xff, length >> 16 & 0xff, length >> 8 & 0xff, length & 0xff };
        _cleanup_(strbuf_clear) struct strbuf whole = STRBUF_INIT;

        strbuf_add(&whole, (const char *)head, sizeof(head));
        strbuf_add(&whole, message, length);
        return send_all(fd, whole.buf, whole.len);
}

/* The first whole message: 1; not yet: 0; longer than one may be: -1. */
static int first_message(const struct strbuf *from, size_t *length)
{
        const unsigned char *head = (const unsigned char *)from->buf;

        if (from->len < 4)
                return 0;
        *length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        if (*length == 0 || *length > MESSAGE_MOST)
                return -1;
        return from->len >= 4 + *length;
}

static void take_front(struct strbuf *buffer, size_t length)
{
        memmove(buffer->buf, buffer->buf + length, buffer->len - length);
        strbuf_truncate(buffer, buffer->len - length);
}

static bool answer_failure(struct client *client, const char *reason)
{
        const unsigned char failure = MESSAGE_FAILURE;

        client->waiting = false;
        client->request.reason = client->request.reason ? client->request.reason : reason;
        log_request(client->keys, &client->request, "refused");
        request_clear(&client->request);
        return send_message(client->fd, &failure, 1);
}

static bool go_on(struct client *client);

/* What the agent said. */
static bool pass_answer(struct client *client, const unsigned char *answer, size_t length)
{
        _cleanup_(strbuf_clear) struct strbuf filtered = STRBUF_INIT;
        bool sent;

        client->waiting = false;
        loop_remove(client->keys->loop, TAKE_PTR(client->timer));
        if (client->request.kind == REQUEST_LIST) {
                if (protocol_filter(answer, length, &client->keys->selection, &filtered) < 0)
                        return answer_failure(client, "the agent has no list");
                sent = send_message(client->fd, filtered.buf, filtered.len);
        } else {
                log_request(client->keys, &client->request, *answer == MESSAGE_FAILURE ? "failed" : "done");
                sent = send_message(client->fd, answer, length);
        }
        request_clear(&client->request);
        return sent;
}

static void on_answer(struct loop *loop _unused_, int fd, short revents _unused_, void *data)
{
        struct client *client = data;
        char block[8192];
        ssize_t got = read(fd, block, sizeof(block));
        size_t length;
        int whole;

        if (got < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (got > 0)
                strbuf_add(&client->answer, block, (size_t)got);
        whole = got > 0 ? first_message(&client->answer, &length) : -1;
        if (whole == 0)
                return;
        if (whole < 0 || !client->waiting) {
                /* It has ended, or says what nobody asked for. The next request finds another. */
                drop_agent(client);
                if (client->waiting && !(answer_failure(client, "the agent has ended") && go_on(client)))
                        drop(client);
                return;
        }
        _cleanup_(strbuf_clear) struct strbuf answer = STRBUF_INIT;

        strbuf_add(&answer, client->answer.buf + 4, length);
        take_front(&client->answer, 4 + length);
        if (!pass_answer(client, (const unsigned char *)answer.buf, length) || !go_on(client))
                drop(client);
}

static void on_late(struct loop *loop _unused_, void *data)
{
        struct client *client = data;

        client->timer = NULL;
        drop_agent(client);
        if (!answer_failure(client, "the agent does not answer") || !go_on(client))
                drop(client);
}

/* As the guest sent it: what isn't refused is passed on as it is. */
static bool ask(struct client *client, const char *message, size_t length)
{
        struct keys *keys = client->keys;

        if (client->agent < 0) {
                client->agent = unix_socket_connect(keys->agent);
                if (client->agent < 0)
                        return answer_failure(client, "no agent");
                client->agent_source = loop_add_fd(keys->loop, client->agent, POLLIN, on_answer, client);
        }
        if (!send_message(client->agent, message, length)) {
                drop_agent(client);
                return answer_failure(client, "the agent has ended");
        }
        client->waiting = true;
        client->timer = loop_add_timer(keys->loop, ANSWER_MS, on_late, client);
        return true;
}

static void on_decision(struct loop *loop _unused_, int fd _unused_, short revents _unused_, void *data)
{
        struct keys *keys = data;
        struct client *client = keys->question.client;
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;
        int status = 0;
        bool allowed;

        if (waitpid(keys->question.child, &status, WNOHANG) == 0)
                return;
        allowed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        strbuf_add(&message, keys->question.message.buf, keys->question.message.len);
        close_question(keys);
        client->waiting = false;
        if (!allowed)
                keys->question.denied_until = now_ms() + DENIED_MS;
        if (!(allowed ? ask(client, message.buf, message.len) : answer_failure(client, "not confirmed")) || !go_on(client))
                drop(client);
}

static void on_no_decision(struct loop *loop _unused_, void *data)
{
        struct keys *keys = data;
        struct client *client = keys->question.client;

        keys->question.timer = NULL;
        withdraw_question(keys);
        client->waiting = false;
        if (!answer_failure(client, "nobody confirmed it") || !go_on(client))
                drop(client);
}

/* What the guest says is quoted as such. */
static char *question_text(const struct keys *keys, const struct request *request)
{
        if (request->kind == REQUEST_LOGIN)
                return xasprintf("VM '%s' wants to log in as '%s'%s%s, by the key %s. Allow it?", keys->confirm, request->what,
                                 request->name   ? " on "
                                 : request->host ? " on the host with the key "
                                                 : "",
                                 request->name   ? request->name
                                 : request->host ? request->host
                                                 : "",
                                 request->key);
        return xasprintf("VM '%s' wants a signature for '%s', by the key %s. Allow it?", keys->confirm, request->what,
                         request->key);
}

static bool open_question(struct client *client, const char *message, size_t length)
{
        struct keys *keys = client->keys;
        struct question *question = &keys->question;
        _cleanup_(freep) char *text = question_text(keys, &client->request);
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (question->client)
                return answer_failure(client, "another question is open");
        if (question->denied_until > now_ms())
                return answer_failure(client, "not confirmed a moment ago");
        if (!confirm_argv(text, &argv))
                return answer_failure(client, "nothing to ask by: SSH_ASKPASS");
        process_environment(&environment, (const char *const[]){ "SSH_ASKPASS_PROMPT=confirm", NULL });
        if (process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                  .environment = strv_argv(&environment),
                                                  .new_session = true },
                          &question->child, NULL) < 0)
                return answer_failure(client, "nothing to ask by: SSH_ASKPASS");
        question->process_fd = os_process_fd(question->child);
        if (question->process_fd < 0) {
                waitpid(question->child, NULL, 0);
                return answer_failure(client, "the question can't be watched");
        }
        strbuf_add(&question->message, message, length);
        question->client = client;
        question->source = loop_add_fd(keys->loop, question->process_fd, POLLIN, on_decision, keys);
        question->timer = loop_add_timer(keys->loop, ANSWER_MS, on_no_decision, keys);
        client->waiting = true;
        return true;
}

static bool judge(struct client *client, const char *message, size_t length)
{
        enum request_kind kind = client->request.kind;

        if (kind == REQUEST_REFUSED)
                return answer_failure(client, NULL);
        if (client->keys->confirm && (kind == REQUEST_LOGIN || kind == REQUEST_SIGNATURE))
                return open_question(client, message, length);
        return ask(client, message, length);
}

/* All messages that are there, one after the other; false = the client is to go. */
static bool go_on(struct client *client)
{
        while (!client->waiting) {
                _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;
                size_t length;
                int whole = first_message(&client->in, &length);

                if (whole <= 0)
                        return whole == 0;
                strbuf_add(&message, client->in.buf + 4, length);
                take_front(&client->in, 4 + length);
                request_read((const unsigned char *)message.buf, length, &client->keys->selection, &client->request);
                key_hosts_judge(&client->keys->hosts, &client->binds, &client->request);
                if (!judge(client, message.buf, length))
                        return false;
        }
        return true;
}

static void on_guest(struct loop *loop _unused_, int fd, short revents _unused_, void *data)
{
        struct client *client = data;
        char block[8192];
        ssize_t got = read(fd, block, sizeof(block));

        if (got < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (got > 0)
                strbuf_add(&client->in, block, (size_t)got);
        /* While it waits it may have sent one more, and no more than that. */
        if (got <= 0 || client->in.len > 2 * (MESSAGE_MOST + 4) || !go_on(client))
                drop(client);
}

static void on_connection(struct loop *loop, int fd, short revents _unused_, void *data)
{
        struct keys *keys = data;
        _cleanup_(closep) int connected = accept(fd, NULL, NULL);
        struct client *client;

        if (connected < 0 || keys->clients >= CLIENTS_MOST || fcntl(connected, F_SETFD, FD_CLOEXEC) < 0 ||
            fcntl(connected, F_SETFL, O_NONBLOCK) < 0)
                return;
        client = xcalloc(1, sizeof(*client));
        client->keys = keys;
        client->fd = TAKE_FD(connected);
        client->agent = -1;
        client->source = loop_add_fd(loop, client->fd, POLLIN, on_guest, client);
        keys->clients++;
}

/* --- the program */

static void on_end(struct loop *loop, int fd _unused_, short revents _unused_, void *data)
{
        const struct keys *keys = data;
        int status;

        if (waitpid(keys->child, &status, 0) == keys->child)
                loop_quit(loop, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static volatile sig_atomic_t child_to_end, told;

/* Before there is a child it is told as soon as there is. */
static void on_signal(int number)
{
        if (child_to_end > 0)
                kill((pid_t)child_to_end, number);
        else
                told = number;
}

/* What is meant for us reaches the program. From before anybody can see us. */
static void pass_signals(void)
{
        struct sigaction pass = { .sa_handler = on_signal };

        sigaction(SIGTERM, &pass, NULL);
        sigaction(SIGHUP, &pass, NULL);
}

/* Ctrl-C is for the program alone; one that is ignored would be so in there too, so that it comes behind the start. */
static void mind_child(pid_t child)
{
        signal(SIGINT, SIG_IGN);
        signal(SIGQUIT, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        child_to_end = (sig_atomic_t)child;
        if (told)
                kill(child, told);
}

static int run(struct keys *keys, const char *const *program, struct error **err)
{
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;
        _cleanup_(freep) char *variable = xasprintf("SSH_AUTH_SOCK=%s", keys->socket);
        _cleanup_(closep) int process_fd = -1;
        _cleanup_(loop_freep) struct loop *loop = loop_new();

        keys->loop = loop;
        pass_signals();
        keys->listener = unix_socket_listen(keys->socket);
        if (keys->listener < 0)
                return error_errno(err, ERROR_FAILED, "cannot listen at '%s'", keys->socket);
        process_environment(&environment, (const char *const[]){ variable, NULL });
        if (process_spawn(&(struct process_spec){ .argv = program,
                                                  .environment = strv_argv(&environment),
                                                  .stdin_fd = PROCESS_INHERIT,
                                                  .stdout_fd = PROCESS_INHERIT,
                                                  .stderr_fd = PROCESS_INHERIT },
                          &keys->child, err) < 0)
                return -1;
        mind_child(keys->child);
        process_fd = os_process_fd(keys->child);
        if (process_fd < 0)
                return error_errno(err, ERROR_FAILED, "cannot watch '%s'", program[0]);
        if (!keys->confirm && keys_harden(keys->child, err) < 0)
                return -1;
        loop_add_fd(loop, process_fd, POLLIN, on_end, keys);
        loop_add_fd(loop, keys->listener, POLLIN, on_connection, keys);
        return loop_run(loop, err);
}

static bool take_option(struct keys *keys, const char *argument)
{
        static const char agent[] = "--agent=", socket[] = "--socket=", log[] = "--log=", key[] = "--key=",
                          comment[] = "--comment=", host[] = "--host=", confirm[] = "--confirm=";

        if (starts_with(argument, agent))
                keys->agent = argument + strlen(agent);
        else if (starts_with(argument, socket))
                keys->socket = argument + strlen(socket);
        else if (starts_with(argument, log))
                keys->log = argument + strlen(log);
        else if (starts_with(argument, key))
                strv_add(&keys->selection.fingerprints, argument + strlen(key));
        else if (starts_with(argument, comment))
                strv_add(&keys->selection.comments, argument + strlen(comment));
        else if (starts_with(argument, host))
                return key_hosts_add(&keys->hosts, argument + strlen(host));
        else if (starts_with(argument, confirm))
                keys->confirm = argument + strlen(confirm);
        else
                return false;
        return true;
}

int main(int argc, char **argv)
{
        struct keys keys = {
                .selection = SELECTION_INIT, .hosts = KEY_HOSTS_INIT, .listener = -1, .question.message = STRBUF_INIT
        };
        _cleanup_(error_freep) struct error *err = NULL;
        int i = 1;
        int status;

        while (i < argc && take_option(&keys, argv[i]))
                i++;
        if (i + 1 >= argc || !streq(argv[i], "--") || !keys.agent || !keys.socket || !keys.log || sodium_init() < 0) {
                fputs("machine-keys is run by machine, as --agent=SOCKET --socket=SOCKET --log=FILE -- PROGRAM\n", stderr);
                return 2;
        }
        keys.selection.all = keys.selection.fingerprints.count == 0 && keys.selection.comments.count == 0;
        status = run(&keys, (const char *const *)argv + i + 1, &err);
        unlink(keys.socket);
        if (status < 0)
                fprintf(stderr, "machine: %s\n", err->message);
        strbuf_clear(&keys.question.message);
        selection_clear(&keys.selection);
        key_hosts_clear(&keys.hosts);
        return status < 0 ? 1 : status;
}
