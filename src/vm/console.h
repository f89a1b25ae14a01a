/*
 * Follows a log while a guest or a program fills it, and quotes its end when something failed. A guest's text reaches the user
 * only as visible characters.
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"
#include "lib/strbuf.h"

/* Makes an empty file for a new run; the old file becomes PATH.1. */
int console_rotate(const char *path, struct error **err);

struct console {
        int fd;
        struct strbuf partial;
        size_t line_limit; /* of the bytes of a line that are shown; 0 = what a line of progress has room for */
};

#define CONSOLE_INIT                                                                                                           \
        {                                                                                                                      \
                .fd = -1, .partial = STRBUF_INIT                                                                               \
        }
/* Follows the file from now on; what it already holds isn't reported. */
int console_follow(struct console *console, const char *path, struct error **err);
/* The same from its last `lines` lines on. */
int console_follow_last(struct console *console, const char *path, size_t lines, struct error **err);
/* Reports the lines that have come since, except empty ones. Returns true when there are more than it reports at a time. */
bool console_report(struct console *console, struct event_sink *events);
/* Reports what has come of the line that isn't whole yet. */
void console_report_rest(struct console *console, struct event_sink *events);
void console_clear(struct console *console);

/* Appends the last `count` lines that aren't empty, with "; " between them; nothing when there is no such file. */
void console_quote(struct strbuf *out, const char *path, size_t count);
