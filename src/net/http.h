/*
 * Requests of HTTP/1.1 as they pass: each one's Host, and where it ends, so that the next one's is seen too. Strict: what two
 * readers could understand in two ways is refused. Sources: RFC 9112 (2.2, 3.2, 6, 7.1), RFC 9110 (7.2).
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
        HTTP_CHUNK, /* `left` bytes, with the line's end behind it */
        HTTP_TRAILER,
};

struct http {
        enum http_state state;
        uint64_t left;
};

/*
 * Goes on with the first `length` bytes of what is to come: how many of them are settled, 0 = more are needed, -1 = this is no
 * request that may pass. *host, where a head was settled: its Host without the port, "" for one that no rule could name; else
 * it stays.
 */
int64_t http_read(struct http *http, const uint8_t *data, size_t length, char host[static EGRESS_NAME_MOST + 1], bool *head);
