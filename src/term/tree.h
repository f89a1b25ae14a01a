/*
 * The steps as a tree on a terminal that is redrawn in place. The cursor rests at the start of the row below the tree, so
 * that a killed program leaves a terminal that can be used.
 */
#pragma once

#include "term/steps.h"
#include "term/terminal.h"

struct tree {
        struct terminal terminal;
        size_t *widths; /* of the rows that are on the screen */
        size_t row_count;
        size_t columns; /* of the screen when it was last looked at; 0 = never */
        size_t frame;   /* of the spinner */
};

void tree_clear(struct tree *tree);
/* Draws over what is there: as many rows as the screen has, the last ones. Not while the window is changing its width. */
void tree_draw(struct tree *tree, const struct steps *steps);
/* The same for good: all rows, in full length, with the last lines of what failed. The next draw begins below them. */
void tree_finish(struct tree *tree, const struct steps *steps);
/* Prints a line (or several, each ended) above the tree. */
void tree_print_above(struct tree *tree, const struct steps *steps, const char *lines);
