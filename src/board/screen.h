/*
 * The terminal, by ncurses: taken and given up again, painted, and read for keys. It is left as it was, whatever happens to
 * this program: a process waits for our end and puts it right when we could not (lib/process.h).
 *
 *         screen_open() -> screen_paint(), screen_key() … -> screen_give_up() -> screen_take() … -> screen_close()
 */
#pragma once

#include "board/canvas.h"
#include "lib/error.h"

/* Takes it. Fails when standard input and output are not a terminal that can move its cursor. */
int screen_open(struct error **err);
/* Both may be called when that is so already. */
int screen_take(struct error **err);
void screen_give_up(void);
/* Has another process group the terminal? So it is when the shell that we were started from was killed. */
bool screen_is_lost(void);
void screen_close(void);

/* Begins a canvas of the terminal's size, which is asked each time. */
void screen_canvas(struct canvas *canvas);
/* Sends what is different from what is there. `anew`: everything. */
void screen_paint(const struct canvas *canvas, bool anew);
/* Returns a key (press.h); -1 when none was pressed. */
int screen_key(void);
