/*
 * Takes bytes as they come and gives them back as lines. A peer that sends too long a line is refused, however slowly it
 * sends it.
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
/* Returns 1 with the next whole line in `out`, without "\n" or "\r\n"; 0 when there is none yet; -1 when it is too long. */
int lines_next(struct lines *lines, struct strbuf *out, struct error **err);
