#include "net/stream.h"

#include "lib/util.h"

#define ROOM_FIRST 512

void stream_clear(struct stream *stream)
{
        free(stream->held);
        *stream = (struct stream){ 0 };
}

size_t stream_free(const struct stream *stream, size_t length)
{
        if (stream->length > 0)
                return 0;
        switch (stream->watch) {
        case STREAM_FREE:
                return length;
        case STREAM_HTTP:
                return http_body(&stream->http, length);
        case STREAM_TLS:
                break;
        }
        return 0;
}

void stream_passed(struct stream *stream, size_t length)
{
        char name[EGRESS_NAME_MOST + 1];
        bool head;

        /* For a body http_read() doesn't look at the bytes, and it takes all `length` of them. */
        if (stream->watch == STREAM_HTTP && length > 0)
                (void)http_read(&stream->http, NULL, length, name, &head);
}

static size_t taken(const struct stream *stream, size_t length)
{
        size_t most = STREAM_HELD_MOST - stream->length;

        return length < most ? length : most;
}

static size_t room_for(const struct stream *stream, size_t length)
{
        size_t room = stream->room > 0 ? stream->room : ROOM_FIRST;

        while (room < stream->length + taken(stream, length))
                room *= 2;
        return room;
}

size_t stream_needs(const struct stream *stream, size_t length)
{
        return room_for(stream, length) - stream->room;
}

size_t stream_take(struct stream *stream, const void *data, size_t length)
{
        size_t count = taken(stream, length);
        size_t room = room_for(stream, length);

        if (count == 0)
                return 0;
        if (room > stream->room) {
                stream->held = xrealloc(stream->held, room);
                stream->room = room;
        }
        memcpy(stream->held + stream->length, data, count);
        stream->length += count;
        return count;
}

static enum stream_step refuse(const char **reason, const char *why)
{
        *reason = why;
        return STREAM_REFUSE;
}

static enum stream_step wait_for_more(const struct stream *stream, const char **reason)
{
        if (stream->settled == 0 && stream->length == STREAM_HELD_MOST)
                return refuse(reason, "too-long");
        return STREAM_WAIT;
}

static enum stream_step read_tls(struct stream *stream, char *name, const char **reason)
{
        int found = hello_read(stream->held, stream->length, name);

        if (found < 0)
                return refuse(reason, "no-tls");
        if (found == 0)
                return wait_for_more(stream, reason);
        stream->watch = STREAM_FREE;
        stream->shown = stream->length;
        return STREAM_SHOWN;
}

/* Reads until more is needed. A name that was shown is judged before what follows it is read. */
static enum stream_step read_http(struct stream *stream, char *name, const char **reason)
{
        while (stream->settled < stream->length) {
                bool head;
                int64_t used =
                        http_read(&stream->http, stream->held + stream->settled, stream->length - stream->settled, name, &head);

                if (used < 0)
                        return refuse(reason, "no-http");
                if (used == 0)
                        return wait_for_more(stream, reason);
                if (head) {
                        stream->shown = (size_t)used;
                        return STREAM_SHOWN;
                }
                stream->settled += (size_t)used;
        }
        return STREAM_WAIT;
}

enum stream_step stream_go_on(struct stream *stream, char name[static EGRESS_NAME_MOST + 1], const char **reason)
{
        stream->settled += stream->shown;
        stream->shown = 0;
        switch (stream->watch) {
        case STREAM_TLS:
                return read_tls(stream, name, reason);
        case STREAM_HTTP:
                return read_http(stream, name, reason);
        case STREAM_FREE:
                stream->settled = stream->length;
                break;
        }
        return STREAM_WAIT;
}

size_t stream_settled(const struct stream *stream, const uint8_t **data)
{
        *data = stream->held;
        return stream->settled;
}

void stream_sent(struct stream *stream, size_t count)
{
        stream->settled -= count;
        stream->length -= count;
        if (stream->length > 0) {
                memmove(stream->held, stream->held + count, stream->length);
                return;
        }
        free(stream->held);
        stream->held = NULL;
        stream->room = 0;
}

void stream_end(struct stream *stream)
{
        stream->length = stream->settled;
        stream_sent(stream, 0);
}
