/*
 * Paints the board: a title, the VMs as a table, what is to be said of the selected one, and the keys. Pure. A column is there
 * only when some VM has something to say in it, and the last ones only when there is room.
 */
#pragma once

#include "board/canvas.h"
#include "board/model.h"

/* Fills a canvas that canvas_begin() has made. Sets board->page, and board->top so that the selected row is seen. */
void board_paint(struct board *board, struct canvas *canvas);
