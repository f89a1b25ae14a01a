/*
 * Follows HTTP/1.1 requests as they pass: finds each one's Host, and where it ends, so that the next one is seen too. Strict:
 * a request that two readers could understand in two ways is refused. Sources: RFC 9112 (2.2, 3.2, 6, 7.1), RFC 9110 (7.2,
 * 9.3, 10.1.1).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/egress-rule.h"

#define HTTP_HEAD_MOST (16 << 10) /* bytes; longer ones are refused */

enum http_state {
        HTTP_HEAD, /* of a request */
        HTTP_BODY, /* `left` bytes of it */
        HTTP_CHUNK_SIZE,
        HTTP_CHUNK,     /* `left` bytes */
        HTTP_CHUNK_END, /* the line's end after them */
        HTTP_TRAILER,
};

struct http {
        enum http_state state;
        uint64_t left;
};

/*
 * Reads the next `length` bytes. Returns how many of them are settled, 0 when more are needed, -1 when this is not a request
 * that may pass. When a head was settled, *head is true and *host is its Host without the port, "" for one that no rule can
 * name; otherwise *host stays as it was.
 */
int64_t http_read(struct http *http, const uint8_t *data, size_t length, char host[static EGRESS_NAME_MOST + 1], bool *head);
/* Returns how many of the next `length` bytes belong to a body, whatever they are. */
size_t http_body(const struct http *http, size_t length);
