/*
 * Logs that a guest or a program fills: followed while they grow, and quoted when something failed. Nothing of a guest's
 * text reaches the user but as visible characters.
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"
#include "lib/strbuf.h"

/* A line of a console as plain text: escape sequences dropped, other control characters made visible. Appended to `out`. */
void console_plain(struct strbuf *out, const char *line, size_t length);

/* An empty file for a new run; the old one becomes PATH.1. */
int console_rotate(const char *path, struct error **err);

struct console {
        int fd;
        struct strbuf partial;
};

#define CONSOLE_INIT                                                                                                           \
        {                                                                                                                      \
                .fd = -1, .partial = STRBUF_INIT                                                                               \
        }
/* From now on; what the file holds already isn't reported. */
int console_follow(struct console *console, const char *path, struct error **err);
/* Reports the lines that came since. */
void console_report(struct console *console, struct event_sink *events);
void console_clear(struct console *console);

/* Appends the last `count` lines that say something, with "; " between; nothing when there is no such file. */
void console_quote(struct strbuf *out, const char *path, size_t count);
