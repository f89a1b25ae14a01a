/*
 * How many columns a text takes on a terminal. Texts are UTF-8, already made visible (text_visible). A byte that isn't UTF-8
 * counts as one column.
 */
#pragma once

#include "lib/strbuf.h"

size_t width_of(const char *text);
/* Returns how many bytes of `text`, from its start, fit into `columns`. Combining marks stay with their letter. */
size_t width_cut(const char *text, size_t columns);
/* Appends `text`, cut with an ellipsis ("…", or "..." unless `unicode`) if it doesn't fit into `columns`. Returns the columns
 * used. */
size_t width_add(struct strbuf *out, const char *text, size_t columns, bool unicode);
