/*
 * What a screen is to show: lines of text in styles. Whatever is put on it is made visible first (lib/text.h), so a name or a
 * guest's word can't drive the terminal. Nothing here knows a terminal.
 */
#pragma once

#include "lib/util.h"

/* May be combined: some of the first three, and one colour. */
#define STYLE_NONE     0U
#define STYLE_STRONG   (1U << 0)
#define STYLE_FAINT    (1U << 1)
#define STYLE_REVERSED (1U << 2)
#define STYLE_GOOD     (1U << 3) /* green */
#define STYLE_HALF     (1U << 4) /* yellow */
#define STYLE_BAD      (1U << 5) /* red */
#define STYLE_COLORS   (STYLE_GOOD | STYLE_HALF | STYLE_BAD)

struct canvas_span {
        unsigned style;
        char *text;
};

struct canvas_line {
        struct canvas_span *spans;
        size_t count;
        size_t columns; /* taken so far */
};

struct canvas {
        size_t width, height;
        bool unicode; /* else other characters than ASCII become "?" */
        struct canvas_line *lines;
};

#define CANVAS_INIT                                                                                                            \
        {                                                                                                                      \
                0                                                                                                              \
        }
void canvas_begin(struct canvas *canvas, size_t width, size_t height, bool unicode);
void canvas_clear(struct canvas *canvas);

/* Appends to a line, cut with an ellipsis to `columns` and to what the line has room for. A line that isn't there takes
 * nothing. */
void canvas_put(struct canvas *canvas, size_t row, unsigned style, const char *text, size_t columns);
/* Appends spaces up to `column`, in that style. */
void canvas_fill(struct canvas *canvas, size_t row, unsigned style, size_t column);
/* A line's text without its styles, and without spaces at its end. Owned by the caller. */
char *canvas_text(const struct canvas *canvas, size_t row);
