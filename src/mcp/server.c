#include "mcp/server.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "lib/interrupt.h"
#include "mcp/call.h"
#include "mcp/protocol.h"
#include "mcp/state.h"

#define LINE_MOST (8 << 20)
#define OUT_MOST  (8 << 20)
#define PIECE     (64 << 10)
/* Until what was stopped must have ended: call.c ends it before. */
#define END_MS 15000

bool server_is_behind(const struct server *server)
{
        return server->out.len - server->sent > OUT_MOST;
}

/* --- out */

static void stop_writing(struct server *server)
{
        loop_remove(server->loop, server->writer);
        server->writer = NULL;
        server->sent = 0;
        strbuf_clear(&server->out);
}

static bool has_written_all(const struct server *server)
{
        return server->sent == server->out.len;
}

static void server_end(struct server *server);

/* stdout stays as it is, since it may be shared: what poll(2) calls writable takes this much without a wait. */
static void on_writable(struct loop *loop, int fd, short events, void *data)
{
        struct server *server = data;
        size_t left = server->out.len - server->sent;
        ssize_t written = write(fd, server->out.buf + server->sent, left < PIPE_BUF ? left : PIPE_BUF);

        if (written < 0 && errno != EAGAIN && errno != EINTR) {
                /* Nobody reads any more. */
                stop_writing(server);
                server_end(server);
                return;
        }
        if (written > 0)
                server->sent += (size_t)written;
        /* Seldom, since the rest has to be moved. */
        if (has_written_all(server) || server->sent > OUT_MOST) {
                strbuf_consume(&server->out, server->sent);
                server->sent = 0;
        }
        if (has_written_all(server))
                loop_set_events(server->writer, 0);
        if (server->reader && !server_is_behind(server))
                loop_set_events(server->reader, POLLIN);
        call_begin_waiting(server);
        server_check_end(server);
}

static void write_message(struct server *server, const json_t *message)
{
        _cleanup_(freep) char *text = json_text(message);

        if (!server->writer)
                return;
        strbuf_adds(&server->out, text);
        strbuf_addc(&server->out, '\n');
        loop_set_events(server->writer, POLLOUT);
}

static void finish_batch(struct server *server, struct batch *batch)
{
        if (--batch->awaited > 0)
                return;
        if (json_array_size(batch->responses) > 0)
                write_message(server, batch->responses);
        json_decref(batch->responses);
        free(batch);
}

void server_send(struct server *server, struct batch *batch, json_t *message)
{
        if (batch) {
                json_array_append(batch->responses, message);
                finish_batch(server, batch);
        } else {
                write_message(server, message);
        }
        json_decref(message);
}

void server_leave_out(struct server *server, struct batch *batch)
{
        if (batch)
                finish_batch(server, batch);
}

/* --- in */

static void refuse_line(struct server *server)
{
        server_send(server, NULL,
                    protocol_error(NULL, PROTOCOL_INVALID_REQUEST, "a message may have at most %d bytes; this one was skipped",
                                   LINE_MOST));
}

/* Takes the whole lines out of what came. */
static void take_lines(struct server *server)
{
        size_t start = 0;

        while (start < server->in.len) {
                const char *begin = server->in.buf + start;
                const char *end = memchr(begin, '\n', server->in.len - start);

                if (!end)
                        break;
                if (server->skipping)
                        server->skipping = false;
                else
                        request_take(server, begin, (size_t)(end - begin));
                start += (size_t)(end - begin) + 1;
        }
        strbuf_consume(&server->in, start);
        if (server->in.len <= LINE_MOST && !server->skipping)
                return;
        if (!server->skipping)
                refuse_line(server);
        server->skipping = true;
        strbuf_reset(&server->in);
}

static void on_readable(struct loop *loop, int fd, short events, void *data)
{
        struct server *server = data;
        ssize_t got;

        strbuf_reserve(&server->in, PIECE);
        got = read(fd, server->in.buf + server->in.len, PIECE);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (got <= 0) {
                server_end(server);
                return;
        }
        server->in.len += (size_t)got;
        server->in.buf[server->in.len] = '\0';
        take_lines(server);
        if (server->reader && server_is_behind(server))
                loop_set_events(server->reader, 0);
}

/* --- the end */

static void on_late(struct loop *loop, void *data)
{
        loop_quit(loop, 0);
}

void server_check_end(struct server *server)
{
        if (server->ending && server->count == 0 && has_written_all(server))
                loop_quit(server->loop, 0);
}

/* Nobody asks for anything any more: what runs is stopped, and what was answered is still written. */
static void server_end(struct server *server)
{
        if (server->ending)
                return;
        server->ending = true;
        loop_remove(server->loop, server->reader);
        server->reader = NULL;
        loop_add_timer(server->loop, END_MS, on_late, server);
        call_stop_all(server);
        server_check_end(server);
}

static void on_interrupt(struct loop *loop, int fd, short events, void *data)
{
        struct server *server = data;

        /* Its descriptor stays readable. */
        loop_remove(loop, server->interrupt);
        server->interrupt = NULL;
        server_end(server);
}

int server_run(const struct server_options *options, struct error **err)
{
        struct server server = { .options = options, .loop = loop_new(), .in = STRBUF_INIT, .out = STRBUF_INIT };
        int status;

        server.reader = loop_add_fd(server.loop, STDIN_FILENO, POLLIN, on_readable, &server);
        server.writer = loop_add_fd(server.loop, STDOUT_FILENO, 0, on_writable, &server);
        server.interrupt = loop_add_fd(server.loop, interrupt_fd(), POLLIN, on_interrupt, &server);
        status = loop_run(server.loop, err);
        call_free_all(&server);
        loop_free(server.loop);
        strbuf_clear(&server.in);
        strbuf_clear(&server.out);
        return status;
}
