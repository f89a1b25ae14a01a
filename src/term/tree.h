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
/* Draws over the old tree: the last rows, as many as the screen has. Draws nothing while the window is changing its width. */
void tree_draw(struct tree *tree, const struct steps *steps);
/* Draws the tree a last time: all rows, in full length, with the last lines of failed steps. The next draw begins below it. */
void tree_finish(struct tree *tree, const struct steps *steps);
/* Prints a line (or several, each ended) above the tree. */
void tree_print_above(struct tree *tree, const struct steps *steps, const char *lines);
