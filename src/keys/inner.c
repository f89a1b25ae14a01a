#include "keys/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "keys/channel.h"
#include "keys/harden.h"
#include "keys/tally.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/text.h"

/* A person may have to approve a signature; a locked agent never answers. */
#define ANSWER_MS (5 * 60 * 1000)
/* Bytes that are read at once. */
#define BLOCK 8192

struct client;

struct inner {
        struct settings *settings;
        struct loop *loop;
        struct channel channel;
        struct client *clients[CLIENTS_MOST];
        size_t client_count;
        size_t kept;          /* bytes, for all of them */
        uint32_t number;      /* of the last word that needs an answer */
        struct client *asker; /* whose question is open; NULL = none is open */
        bool full;            /* the record has no room for what the agent does */
        struct tally done, other;
        time_t tally_began;
};

/* One connection of the guest's and, from its first request on, one to the agent for it. */
struct client {
        struct inner *inner;
        int fd, agent;
        struct loop_source *source, *agent_source, *timer;
        struct strbuf in, message, answer; /* from the guest; the request that waits; from the agent */
        size_t kept;
        struct request request; /* the one that waits */
        struct binds binds;
        uint32_t number; /* of the word that it waits to have answered; 0 = none */
        bool waiting;
};

/* --- the record */

static const char *const kinds[] = { "list", "login", "signature", "bind", "other" };

static void add_text(json_t *line, const char *key, const char *text)
{
        if (text)
                json_object_set_new(line, key, json_string(text));
}

/* The outer process wants the line without its braces. */
static void write_line(const struct inner *inner, bool done, const char *text)
{
        _cleanup_(freep) char *members = xstrndup(text + 1, strlen(text) - 2);

        channel_send(&inner->channel, done ? WORD_DONE : WORD_OTHER, 0, 0, members, -1);
}

static void write_again(const struct inner *inner, bool done, const char *text, uint64_t again)
{
        _cleanup_(freep) char *since = text_format_time(inner->tally_began);
        _cleanup_(freep) char *line = xasprintf("%.*s,\"count\":%llu,\"since\":\"%s\"}", (int)strlen(text) - 1, text,
                                                (unsigned long long)again, since);

        write_line(inner, done, line);
}

static void write_done_again(const char *text, uint64_t again, void *data)
{
        write_again(data, true, text, again);
}

static void write_other_again(const char *text, uint64_t again, void *data)
{
        write_again(data, false, text, again);
}

static void settle_tallies(struct inner *inner)
{
        static const char many[] =
                "{\"request\":\"other\",\"verdict\":\"refused\",\"reason\":\"more requests: too many kinds in a minute\"}";

        if (inner->other.others > 0)
                write_again(inner, false, many, inner->other.others);
        tally_settle(&inner->done, write_done_again, inner);
        tally_settle(&inner->other, write_other_again, inner);
}

static void on_minute(struct loop *loop, void *data)
{
        struct inner *inner = data;

        settle_tallies(inner);
        inner->tally_began = time(NULL);
        loop_add_timer(loop, TALLY_MS, on_minute, inner);
}

/* What the agent did is always written down, however much else there was in this minute. */
static void write_request(struct inner *inner, const struct request *request, const char *verdict)
{
        bool done = streq(verdict, "done") && (request->kind == REQUEST_LOGIN || request->kind == REQUEST_SIGNATURE);
        struct tally *tally = done ? &inner->done : &inner->other;
        _cleanup_(json_decrefp) json_t *line = json_object();
        _cleanup_(freep) char *text = NULL;
        enum tally_verdict counted;

        if (request->kind == REQUEST_LIST)
                return;
        add_text(line, "request", kinds[request->kind]);
        add_text(line, "verdict", verdict);
        add_text(line, "key", request->key);
        add_text(line, "what", request->what);
        add_text(line, "host", request->host);
        add_text(line, "name", request->name);
        add_text(line, "reason", request->reason);
        text = json_text(line);
        counted = tally_add(tally, text);
        if (counted == TALLY_FIRST || (counted == TALLY_NO_ROOM && done))
                write_line(inner, done, text);
        else if (counted == TALLY_NO_ROOM)
                tally->others++;
}

/* --- a client */

static void count_kept(struct client *client)
{
        size_t now = client->in.room + client->message.room + client->answer.room;

        client->inner->kept += now - client->kept;
        client->kept = now;
}

/* Appends. Returns false when too much would then be kept. */
static bool keep(struct client *client, struct strbuf *buffer, const void *data, size_t length)
{
        /* A buffer that grows exists twice for a moment, and has up to twice the room. */
        if (client->inner->kept + 2 * (buffer->len + length) > KEPT_MOST)
                return false;
        strbuf_add(buffer, data, length);
        count_kept(client);
        return true;
}

static void let_off(struct client *client, struct strbuf *buffer)
{
        strbuf_clear(buffer);
        count_kept(client);
}

static void take_front(struct client *client, struct strbuf *buffer, size_t length)
{
        struct strbuf rest = STRBUF_INIT;

        if (buffer->len > length)
                strbuf_add(&rest, buffer->buf + length, buffer->len - length);
        strbuf_clear(buffer);
        *buffer = rest;
        count_kept(client);
}

static void drop_agent(struct client *client)
{
        loop_remove(client->inner->loop, TAKE_PTR(client->agent_source));
        loop_remove(client->inner->loop, TAKE_PTR(client->timer));
        closep(&client->agent);
        client->agent = -1;
        let_off(client, &client->answer);
}

/* The client must be in the list. */
static void forget(const struct client *client)
{
        struct inner *inner = client->inner;
        size_t at = 0;

        while (inner->clients[at] != client)
                at++;
        inner->clients[at] = inner->clients[--inner->client_count];
}

static void drop(struct client *client)
{
        struct inner *inner = client->inner;

        if (inner->asker == client) {
                channel_send(&inner->channel, WORD_WITHDRAW, 0, 0, NULL, -1);
                client->request.reason = "withdrawn";
                write_request(inner, &client->request, "refused");
                inner->asker = NULL;
        }
        drop_agent(client);
        loop_remove(inner->loop, client->source);
        close(client->fd);
        forget(client);
        let_off(client, &client->in);
        let_off(client, &client->message);
        request_clear(&client->request);
        binds_clear(&client->binds);
        free(client);
}

/*
 * Returns false when the socket doesn't take the whole message. Messages are small compared with its buffer, so the other side
 * doesn't read, and is dropped.
 */
static bool send_message(int fd, const void *message, size_t length)
{
        const unsigned char head[] = { length >> 24 & 0xff, length >> 16 & 0xff, length >> 8 & 0xff, length & 0xff };
        _cleanup_(strbuf_clear) struct strbuf whole = STRBUF_INIT;

        strbuf_add(&whole, (const char *)head, sizeof(head));
        strbuf_add(&whole, message, length);
        return send(fd, whole.buf, whole.len, MSG_DONTWAIT) == (ssize_t)whole.len;
}

/* Returns 1 when the first message is whole, 0 when it isn't yet, -1 when it is empty or too long. */
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

static bool answer_failure(struct client *client, const char *reason)
{
        const unsigned char failure = MESSAGE_FAILURE;

        client->waiting = false;
        client->number = 0;
        let_off(client, &client->message);
        client->request.reason = client->request.reason ? client->request.reason : reason;
        write_request(client->inner, &client->request, "refused");
        request_clear(&client->request);
        return send_message(client->fd, &failure, 1);
}

static bool go_on(struct client *client);

/* --- the agent */

/* Passes on what the agent answered. */
static bool pass_answer(struct client *client, const unsigned char *answer, size_t length)
{
        _cleanup_(strbuf_clear) struct strbuf filtered = STRBUF_INIT;
        bool sent;

        client->waiting = false;
        loop_remove(client->inner->loop, TAKE_PTR(client->timer));
        if (client->request.kind == REQUEST_LIST) {
                if (protocol_filter(answer, length, &client->inner->settings->selection, &filtered) < 0)
                        return answer_failure(client, "the agent gave no list of keys");
                sent = send_message(client->fd, filtered.buf, filtered.len);
        } else {
                write_request(client->inner, &client->request, *answer == MESSAGE_FAILURE ? "failed" : "done");
                sent = send_message(client->fd, answer, length);
        }
        request_clear(&client->request);
        return sent;
}

/* The agent has ended, or said what nobody asked for. The next request connects to it again. */
static bool agent_ended(struct client *client, const char *reason)
{
        drop_agent(client);
        return !client->waiting || (answer_failure(client, reason) && go_on(client));
}

static bool take_answer(struct client *client, const char *block, ssize_t got)
{
        _cleanup_(strbuf_clear) struct strbuf answer = STRBUF_INIT;
        size_t length;
        int whole;

        if (got > 0 && !keep(client, &client->answer, block, (size_t)got))
                return agent_ended(client, "too much is kept for other requests");
        whole = got > 0 ? first_message(&client->answer, &length) : -1;
        if (whole == 0)
                return true;
        if (whole < 0 || !client->waiting)
                return agent_ended(client, "the agent has ended");
        strbuf_add(&answer, client->answer.buf + 4, length);
        take_front(client, &client->answer, 4 + length);
        return pass_answer(client, (const unsigned char *)answer.buf, length) && go_on(client);
}

static void on_answer(struct loop *loop _unused_, int fd, short revents _unused_, void *data)
{
        struct client *client = data;
        char block[BLOCK];
        ssize_t got = read(fd, block, sizeof(block));

        if (got < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (!take_answer(client, block, got))
                drop(client);
}

static void on_late(struct loop *loop _unused_, void *data)
{
        struct client *client = data;

        client->timer = NULL;
        if (!agent_ended(client, "the agent does not answer"))
                drop(client);
}

/* Sends the request as the guest sent it: what isn't refused is passed on unchanged. */
static bool send_to_agent(struct client *client)
{
        bool sent = send_message(client->agent, client->message.buf, client->message.len);

        let_off(client, &client->message);
        if (!sent) {
                drop_agent(client);
                return answer_failure(client, "the agent has ended");
        }
        client->waiting = true;
        loop_remove(client->inner->loop, client->timer);
        client->timer = loop_add_timer(client->inner->loop, ANSWER_MS, on_late, client);
        return true;
}

/* Sends a word, and lets the client wait for the answer. */
static bool await_outer(struct client *client, enum word_kind kind, const char *text)
{
        struct inner *inner = client->inner;

        inner->number += inner->number == UINT32_MAX ? 2 : 1;
        client->number = inner->number;
        client->waiting = true;
        if (channel_send(&inner->channel, kind, client->number, 0, text, -1) < 0)
                loop_quit(inner->loop, 0);
        return true;
}

static bool ask_agent(struct client *client)
{
        return client->agent < 0 ? await_outer(client, WORD_CONNECT, NULL) : send_to_agent(client);
}

/* --- a request */

/* What the guest says is in quotes. The outer process puts the VM's name before it. */
static char *question_text(const struct request *request)
{
        if (request->kind == REQUEST_LOGIN)
                return xasprintf("wants to log in as '%s'%s%s, using the key %s", request->what,
                                 request->name   ? " on "
                                 : request->host ? " on the host with the key "
                                                 : "",
                                 request->name   ? request->name
                                 : request->host ? request->host
                                                 : "",
                                 request->key);
        return xasprintf("wants a signature for '%s', using the key %s", request->what, request->key);
}

static bool ask_person(struct client *client)
{
        _cleanup_(freep) char *text = question_text(&client->request);

        if (client->inner->asker)
                return answer_failure(client, "another question is open");
        client->inner->asker = client;
        return await_outer(client, WORD_ASK, text);
}

static bool judge(struct client *client)
{
        enum request_kind kind = client->request.kind;
        bool signs = kind == REQUEST_LOGIN || kind == REQUEST_SIGNATURE;

        if (kind == REQUEST_REFUSED)
                return answer_failure(client, NULL);
        if (signs && client->inner->full)
                return answer_failure(client, "the record of what was signed is full");
        return signs && client->inner->settings->confirm ? ask_person(client) : ask_agent(client);
}

/* Handles all messages that are there, one after the other. Returns false when the client must be dropped. */
static bool go_on(struct client *client)
{
        const struct settings *settings = client->inner->settings;

        while (!client->waiting) {
                size_t length;
                int whole = first_message(&client->in, &length);

                if (whole <= 0)
                        return whole == 0;
                let_off(client, &client->message);
                strbuf_add(&client->message, client->in.buf + 4, length);
                take_front(client, &client->in, 4 + length);
                request_read((const unsigned char *)client->message.buf, length, &settings->selection, &client->request);
                key_hosts_judge(&settings->hosts, &client->binds, &client->request);
                if (!judge(client))
                        return false;
        }
        return true;
}

static bool take_request(struct client *client, const char *block, ssize_t got)
{
        static const struct request too_much = { .kind = REQUEST_REFUSED, .reason = "too much is kept for other requests" };

        if (got <= 0)
                return false;
        /* While a request waits, the guest may send one more, and no more than that. */
        if (client->in.len + (size_t)got > (size_t)(client->waiting ? 1 : 2) * (MESSAGE_MOST + 4))
                return false;
        if (keep(client, &client->in, block, (size_t)got))
                return go_on(client);
        write_request(client->inner, &too_much, "refused");
        return false;
}

static void on_guest(struct loop *loop _unused_, int fd, short revents _unused_, void *data)
{
        struct client *client = data;
        char block[BLOCK];
        ssize_t got = read(fd, block, sizeof(block));

        if (got < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (!take_request(client, block, got))
                drop(client);
}

static void on_connection(struct loop *loop, int fd, short revents _unused_, void *data)
{
        struct inner *inner = data;
        _cleanup_(closep) int connected = accept(fd, NULL, NULL);
        struct client *client;

        if (connected < 0 || inner->client_count >= CLIENTS_MOST || fcntl(connected, F_SETFL, O_NONBLOCK) < 0)
                return;
        client = xcalloc(1, sizeof(*client));
        *client = (struct client){ .inner = inner,
                                   .fd = TAKE_FD(connected),
                                   .agent = -1,
                                   .in = STRBUF_INIT,
                                   .message = STRBUF_INIT,
                                   .answer = STRBUF_INIT };
        client->source = loop_add_fd(loop, client->fd, POLLIN, on_guest, client);
        inner->clients[inner->client_count++] = client;
}

/* --- what the outer process says */

static struct client *client_of(const struct inner *inner, uint32_t number)
{
        for (size_t i = 0; number > 0 && i < inner->client_count; i++)
                if (inner->clients[i]->number == number)
                        return inner->clients[i];
        return NULL;
}

static bool take_agent(struct client *client, int fd)
{
        client->number = 0;
        client->waiting = false;
        if (fd < 0)
                return answer_failure(client, "no agent") && go_on(client);
        client->agent = fd;
        client->agent_source = loop_add_fd(client->inner->loop, fd, POLLIN, on_answer, client);
        return send_to_agent(client) && go_on(client);
}

static bool take_decision(struct client *client, uint32_t answer)
{
        static const char *const reasons[] = {
                [ANSWER_YES] = NULL,
                [ANSWER_NO] = "not confirmed",
                [ANSWER_NOBODY] = "nobody confirmed it",
                [ANSWER_OPEN] = "another question is open",
                [ANSWER_HELD_OFF] = "not confirmed a moment ago",
                [ANSWER_TOO_MANY] = "too many questions",
                [ANSWER_NO_PROGRAM] = "no program to ask with: set SSH_ASKPASS",
                [ANSWER_FAILED] = "the question can't be watched or counted",
        };

        client->number = 0;
        client->waiting = false;
        client->inner->asker = NULL;
        if (answer == ANSWER_YES)
                return ask_agent(client) && go_on(client);
        return answer_failure(client, reasons[answer < ARRAY_SIZE(reasons) ? answer : ANSWER_NO]) && go_on(client);
}

static void take_word(struct inner *inner, const struct word *word, int passed)
{
        _cleanup_(closep) int fd = passed;
        struct client *client = client_of(inner, word->number);

        if (word->kind == WORD_FULL)
                inner->full = word->answer != 0;
        /* A client that has left meanwhile isn't answered. */
        if (!client)
                return;
        if ((word->kind == WORD_AGENT && !take_agent(client, TAKE_FD(fd))) ||
            (word->kind == WORD_ANSWER && !take_decision(client, word->answer)))
                drop(client);
}

static void on_word(struct loop *loop, int fd _unused_, short revents _unused_, void *data)
{
        struct inner *inner = data;
        struct word word;
        int passed = -1;
        int got = channel_receive(&inner->channel, &word, &passed);

        if (got < 0)
                loop_quit(loop, 0);
        else if (got > 0)
                take_word(inner, &word, passed);
}

/* --- the process */

static int confine(const struct inner *inner)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *text = NULL;
        struct keys_walls walls;

        if (keys_harden(&walls, &error) == 0)
                return channel_send(&inner->channel, WORD_READY, 0, 0, NULL, -1);
        text = error_text(error);
        channel_send(&inner->channel, WORD_FAILED, 0, 0, text, -1);
        return -1;
}

int inner_run(struct settings *settings)
{
        _cleanup_(loop_freep) struct loop *loop = loop_new();
        struct inner inner = { .settings = settings, .loop = loop, .channel = CHANNEL_INIT, .tally_began = time(NULL) };
        int status;

        signal(SIGPIPE, SIG_IGN);
        inner.channel.fd = CHANNEL_FD;
        if (confine(&inner) < 0)
                return 1;
        loop_add_fd(loop, CHANNEL_FD, POLLIN, on_word, &inner);
        loop_add_fd(loop, LISTENER_FD, POLLIN, on_connection, &inner);
        loop_add_timer(loop, TALLY_MS, on_minute, &inner);
        status = loop_run(loop, NULL);
        for (size_t i = inner.client_count; i > 0; i--)
                drop(inner.clients[i - 1]);
        settle_tallies(&inner);
        return status < 0 ? 1 : 0;
}
