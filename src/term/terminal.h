/*
 * Finds out what the terminal behind a descriptor can show, and writes to it. Uses only what every terminal since the VT100
 * understands: colours, moving up, clearing to the end of the line or screen.
 */
#pragma once

#include "lib/strbuf.h"

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW };

struct terminal {
        int fd;
        bool live;    /* a terminal that can move its cursor */
        bool color;   /* and NO_COLOR is not set */
        bool unicode; /* the locale is UTF-8 */
};

struct terminal terminal_of(int fd);
/* Asked again at every redraw, so that no SIGWINCH is needed. 80 x 24 when the terminal doesn't say. */
void terminal_size(const struct terminal *terminal, size_t *columns, size_t *rows);
/* The width of a terminal for text that is printed once; SIZE_MAX when `fd` is none. */
size_t terminal_columns(int fd);
/* Writes all of it, in one write(2) if the kernel allows. When the reader has gone away, the rest is dropped. */
void terminal_write(const struct terminal *terminal, const struct strbuf *text);
/* Appends `text` in a style, when there are colours. */
void terminal_style(const struct terminal *terminal, struct strbuf *out, enum style style, const char *text);
