#include "guest/copy-stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "guest/script.h"
#include "lib/interrupt.h"
#include "lib/os.h"
#include "lib/text.h"

#define PAUSED_MS   5000 /* between two looks whether the guest is paused */
#define LOOK_MS     (10 * 60 * 1000)
#define LOOK_LEAST  (64 << 10)
#define TOTAL_MS    (12 * 60 * 60 * 1000)
#define END_MS      5000
#define SAID_MOST   1024
#define RECORD_MOST ((1 << 20) + 8)

static void start_clock(struct copy_stream *stream)
{
        stream->look = deadline_in(LOOK_MS);
        stream->end = deadline_in(TOTAL_MS);
        stream->ask = stream->vm ? deadline_in(PAUSED_MS) : DEADLINE_NEVER;
}

void copy_stream_of(int from_fd, struct copy_stream *out)
{
        out->from_fd = from_fd;
        start_clock(out);
}

/* ssh runs in a session of its own, so that a Ctrl-C ends our waiting and not ssh. Otherwise ssh could take the end of our
 * files for the end of its own. */
int copy_stream_open(const struct vm *vm, const char *script, const struct strv *args, struct copy_stream *out,
                     struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        int ends[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
        int *const ours[] = { &out->to_fd, &out->from_fd, &out->said_fd };
        int started = -1;

        if (script_command(script, args, &remote, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                if (os_pipe(ends[i]) < 0 || fcntl(ends[i][i == 0], F_SETFL, O_NONBLOCK) < 0) {
                        error_errno(err, ERROR_FAILED, "cannot make a pipe");
                        goto end;
                }
                *ours[i] = TAKE_FD(ends[i][i == 0]);
        }
        session_argv(&(struct session){ .vm = vm }, remote.buf, &argv);
        started = process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                        .stdin_fd = ends[0][0],
                                                        .stdout_fd = ends[1][1],
                                                        .stderr_fd = ends[2][1],
                                                        .new_session = true },
                                &out->pid, err);
        out->vm = vm;
        start_clock(out);
end:
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                closep(&ends[i][0]);
                closep(&ends[i][1]);
        }
        return started;
}

/* Lets ssh end by itself where it can: when ssh is killed, the shared connection has to clean up after it. */
void copy_stream_clear(struct copy_stream *stream)
{
        closep(&stream->to_fd);
        closep(&stream->from_fd);
        closep(&stream->said_fd);
        if (stream->pid > 0) {
                if (!stream->whole)
                        kill(stream->pid, SIGTERM);
                if (process_wait(stream->pid, END_MS, NULL, NULL) == 0) {
                        kill(stream->pid, SIGKILL);
                        process_wait(stream->pid, END_MS, NULL, NULL);
                }
        }
        strbuf_clear(&stream->said);
        *stream = (struct copy_stream)COPY_STREAM_INIT;
}

/* --- waiting */

/* A slow guest may take as long as it needs, but one that only drips may not. */
static int check_clock(struct copy_stream *stream, struct error **err)
{
        if (interrupt_check(err) < 0)
                return -1;
        if (deadline_passed(stream->end))
                return error_set(err, ERROR_FAILED, "it did not end within 12 h");
        if (stream->vm && deadline_passed(stream->ask)) {
                if (vm_resume(stream->vm, err) < 0)
                        return -1;
                stream->ask = deadline_in(PAUSED_MS);
        }
        if (!deadline_passed(stream->look))
                return 0;
        if (stream->moved - stream->looked_at < LOOK_LEAST)
                return error_set(err, ERROR_FAILED, "it stands still: less than 64 KiB have moved in 10 min");
        stream->looked_at = stream->moved;
        stream->look = deadline_in(LOOK_MS);
        return 0;
}

static void add_moved(struct copy_stream *stream, ssize_t bytes)
{
        stream->moved += bytes;
        if (stream->length > 0)
                event_progress(stream->events, stream->moved, stream->length);
}

/* Reads what ssh says, and keeps the end of it. */
static void hear(struct copy_stream *stream)
{
        char block[512];
        ssize_t got = read(stream->said_fd, block, sizeof(block));

        if (got > 0) {
                strbuf_add(&stream->said, block, (size_t)got);
                if (stream->said.len > SAID_MOST)
                        strbuf_consume(&stream->said, stream->said.len - SAID_MOST);
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
                close(TAKE_FD(stream->said_fd));
        }
}

/* Waits until something can be read from or written to `fd`, or it is time to look again. */
static int wait_for(struct copy_stream *stream, int fd, short events, struct error **err)
{
        struct pollfd polled[] = { { .fd = fd, .events = events },
                                   { .fd = stream->said_fd, .events = POLLIN },
                                   { .fd = interrupt_fd(), .events = POLLIN } };

        if (check_clock(stream, err) < 0)
                return -1;
        if (poll(polled, ARRAY_SIZE(polled), deadline_left(stream->ask < stream->look ? stream->ask : stream->look)) < 0)
                return errno == EINTR ? 0 : error_errno(err, ERROR_FAILED, "cannot wait for ssh");
        if (polled[1].revents)
                hear(stream);
        return 0;
}

static int ended_early(struct copy_stream *stream, struct error **err)
{
        deadline limit = deadline_in(END_MS);
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        while (stream->said_fd >= 0 && !deadline_passed(limit)) {
                struct pollfd polled = { .fd = stream->said_fd, .events = POLLIN };

                if (poll(&polled, 1, deadline_left(limit)) > 0)
                        hear(stream);
        }
        process_quote(&said, &stream->said);
        return error_set(err, ERROR_FAILED, "the guest ended it early%s%s", said.len > 0 ? ": " : "", said.buf ? said.buf : "");
}

int copy_stream_get(struct copy_stream *stream, void *data, size_t length, struct error **err)
{
        char *at = data;

        while (length > 0) {
                ssize_t got = read(stream->from_fd, at, length);

                if (got == 0)
                        return ended_early(stream, err);
                if (got < 0 && errno != EAGAIN && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot read from ssh");
                if ((got < 0 ? wait_for(stream, stream->from_fd, POLLIN, err) : check_clock(stream, err)) < 0)
                        return -1;
                if (got > 0) {
                        at += got;
                        length -= (size_t)got;
                        add_moved(stream, got);
                }
        }
        return 0;
}

/* The error is the guest's reason for taking no more, when it gives one. */
static int refused(struct copy_stream *stream, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        char letter;

        if (copy_stream_take(stream, &letter, &content, err) < 0)
                return -1;
        return error_set(err, ERROR_FAILED, "the guest stopped taking the copy");
}

int copy_stream_put(struct copy_stream *stream, const void *data, size_t length, struct error **err)
{
        const char *at = data;

        while (length > 0) {
                ssize_t written = write(stream->to_fd, at, length);

                if (written < 0 && errno == EPIPE)
                        return refused(stream, err);
                if (written < 0 && errno != EAGAIN && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot write to ssh");
                if ((written < 0 ? wait_for(stream, stream->to_fd, POLLOUT, err) : check_clock(stream, err)) < 0)
                        return -1;
                if (written > 0) {
                        at += written;
                        length -= (size_t)written;
                        add_moved(stream, written);
                }
        }
        return 0;
}

int copy_stream_put_record(struct copy_stream *stream, char letter, const struct strbuf *content, struct error **err)
{
        uint32_t length = htonl((uint32_t)content->len);
        unsigned char head[5] = { (unsigned char)letter };

        memcpy(head + 1, &length, sizeof(length));
        return copy_stream_put(stream, head, sizeof(head), err) < 0 ||
                               copy_stream_put(stream, content->buf, content->len, err) < 0
                       ? -1
                       : 0;
}

int copy_stream_take(struct copy_stream *stream, char *letter, struct strbuf *content, struct error **err)
{
        unsigned char head[5];
        uint32_t length;

        strbuf_reset(content);
        if (copy_stream_get(stream, head, sizeof(head), err) < 0)
                return -1;
        memcpy(&length, head + 1, sizeof(length));
        length = ntohl(length);
        if (length > RECORD_MOST)
                return error_set(err, ERROR_FAILED, "the guest sent a record that is not valid");
        strbuf_reserve(content, length);
        if (copy_stream_get(stream, content->buf, length, err) < 0)
                return -1;
        content->len = length;
        content->buf[length] = '\0';
        *letter = (char)head[0];
        stream->whole = *letter == 'Z' || *letter == 'X';
        if (*letter == 'X') {
                _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;

                text_visible(&shown, content->buf, length < SAID_MOST ? length : SAID_MOST);
                return error_set(err, ERROR_FAILED, "%s", shown.buf);
        }
        return 0;
}
