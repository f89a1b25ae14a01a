/*
 * A small terminal: a pty whose output is put on a grid as a VT100 would, so that tests see what a person would see. What it
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
/* The window's size changes; rows that are too long for it are broken, as modern terminals do. */
void screen_resize(struct screen *screen, unsigned short columns, unsigned short rows);
/* Takes in what was written, and gives what is to be seen. Owned by the caller. */
char *screen_text(struct screen *screen);
/* The same, once `text` is to be seen, at most five seconds later (then NULL). */
char *screen_wait(struct screen *screen, const char *text);
/* The same, once `text` is no longer to be seen. */
char *screen_wait_gone(struct screen *screen, const char *text);
/* All bytes that were ever written. */
const struct strbuf *screen_bytes(struct screen *screen);
/* Where the cursor is, counted from the first row ever written. */
size_t screen_cursor_row(const struct screen *screen);
size_t screen_cursor_column(const struct screen *screen);
