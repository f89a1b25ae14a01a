/*
 * Bytes that come in pieces, taken out as lines. A peer that sends a longer line than it may is refused, however slowly
 * it does so.
 *
 *         lines_feed(&lines, block, length);
 *         while ((got = lines_next(&lines, &line, err)) > 0)
 *                 …
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"

struct lines {
        struct strbuf data;
        size_t searched; /* bytes of `data` known to hold no line end */
        size_t limit;    /* of one line */
};

#define LINES_INIT(limit_)                                                                                                     \
        {                                                                                                                      \
                .data = STRBUF_INIT, .limit = (limit_)                                                                         \
        }

void lines_clear(struct lines *lines);
void lines_feed(struct lines *lines, const char *data, size_t length);
/* The next whole line replaces `out`, without "\n" or "\r\n": 1. None yet: 0. Over the limit: -1. */
int lines_next(struct lines *lines, struct strbuf *out, struct error **err);
