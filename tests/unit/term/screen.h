/*
 * A small terminal: a pty with its output on a grid, as on a VT100, so that tests see what a person would see. Anything that it
 * doesn't understand fails the test.
 *
 *         struct screen *screen = screen_new(columns, rows);      // stderr is the terminal from now on
 *         …
 *         char *text = screen_text(screen);                       // rows without trailing spaces, scrolled-off ones first
 *         screen_free(screen);                                    // stderr is as it was
 */
#pragma once

#include "lib/strbuf.h"

struct screen;

struct screen *screen_new(unsigned short columns, unsigned short rows);
void screen_free(struct screen *screen);
/* Changes the window's size. Rows that are too long for it are broken, as in modern terminals. */
void screen_resize(struct screen *screen, unsigned short columns, unsigned short rows);
/* Reads what was written, and returns what is on the screen. Owned by the caller. */
char *screen_text(struct screen *screen);
/* The same, as soon as `text` is on the screen. NULL if that takes more than five seconds. */
char *screen_wait(struct screen *screen, const char *text);
/* The same, as soon as `text` is no longer on the screen. */
char *screen_wait_gone(struct screen *screen, const char *text);
/* All bytes that were ever written. */
const struct strbuf *screen_bytes(struct screen *screen);
/* Where the cursor is, counted from the first row ever written. */
size_t screen_cursor_row(const struct screen *screen);
size_t screen_cursor_column(const struct screen *screen);
