/* The columns of the board, in one table: what is in them, and how wide they are. */
#pragma once

#include "board/model.h"

struct board_column {
        const char *heading;
        size_t most;                              /* wider cells are cut */
        bool right;                               /* aligned, as numbers are */
        bool differing;                           /* there only when it is not the same for all */
        enum board_order order;                   /* the order that goes by it; ORDERS = none */
        char *(*cell)(const struct board_vm *vm); /* owned by the caller; NULL = nothing to say */
};

#define BOARD_COLUMNS 10
/* In the order in which they stand. What comes first is left out last. */
extern const struct board_column board_columns[BOARD_COLUMNS];

/* Finds which columns are shown in `room` columns of a screen, with `gap` between two, and how wide. A width of 0 = not shown.
 */
void columns_fit(const struct board *board, size_t room, size_t gap, size_t widths[BOARD_COLUMNS]);
