/*
 * Holds what the guest sends on a connection that has to show a name first. The bytes are held in the order in which they
 * leave. When the name has arrived, exactly these bytes go on. For TLS the first message is looked at, for HTTP the head of
 * each request.
 *
 *         stream_take(stream, data, length)                // as many as there is room for
 *         while (stream_go_on(stream, name, &reason) == STREAM_SHOWN)
 *                 …                                        // may it be reached? If not: stream_clear()
 *         stream_settled(stream, &data)                    // these may leave
 *         stream_sent(stream, count)                       // so many of them have left
 *
 * A body of HTTP, and all that follows TLS's first message, bypasses the stream: stream_free() says how much. A stream that is
 * all zero holds nothing and watches nothing.
 */
#pragma once

#include "net/hello.h"
#include "net/http.h"

#define STREAM_HELD_MOST (16 << 10) /* bytes for one stream: the longest hello, and the longest head */

/* NOLINTNEXTLINE(misc-redundant-expression): all are equal just now */
_Static_assert(HELLO_MOST <= STREAM_HELD_MOST && HTTP_HEAD_MOST <= STREAM_HELD_MOST, "what may be read has room");

enum stream_watch {
        STREAM_FREE, /* its content isn't checked, or was found in order */
        STREAM_TLS,
        STREAM_HTTP,
};

struct stream {
        enum stream_watch watch;
        struct http http;
        uint8_t *held; /* NULL = nothing */
        size_t room, length;
        size_t settled; /* of `length`, at the front */
        size_t shown;   /* after those: the head that the last name was read from */
};

enum stream_step {
        STREAM_WAIT,   /* for more; what is settled may leave */
        STREAM_SHOWN,  /* a name was shown; if it is allowed, call stream_go_on() again */
        STREAM_REFUSE, /* for *reason */
};

void stream_clear(struct stream *stream);

/* Returns how many of the next `length` bytes need no look; 0 while something is held. */
size_t stream_free(const struct stream *stream, size_t length);
/* Notes that `length` of those have left. */
void stream_passed(struct stream *stream, size_t length);

/* Returns by how many bytes stream_take() would enlarge the buffer, for comparison with the budget. */
size_t stream_needs(const struct stream *stream, size_t length);
/* Appends as many bytes as there is room for to what is held. Returns how many. */
size_t stream_take(struct stream *stream, const void *data, size_t length);
/* Reads on in what is held. With STREAM_SHOWN, `name` is the name that was shown. */
enum stream_step stream_go_on(struct stream *stream, char name[static EGRESS_NAME_MOST + 1], const char **reason);

size_t stream_settled(const struct stream *stream, const uint8_t **data);
void stream_sent(struct stream *stream, size_t count);
/* Forgets what isn't settled, because nothing will follow that could settle it. */
void stream_end(struct stream *stream);
