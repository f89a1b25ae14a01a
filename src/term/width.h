/*
 * How many columns a text takes on a terminal. Texts are UTF-8, already made visible (text_visible). A byte that isn't UTF-8
 * counts as one column.
 */
#pragma once

#include "lib/strbuf.h"

size_t width_of(const char *text);
/* Returns how many bytes of `text`, from its start, fit into `columns`. Combining marks stay with their letter. */
size_t width_cut(const char *text, size_t columns);
/*
 * Appends `text` in lines that end at `columns`, broken at spaces, else after commas and slashes, else anywhere. The first line
 * begins after `indent` columns that are there already; the others get as many spaces. Nothing is left out. SIZE_MAX columns =
 * one line.
 */
void width_wrap(struct strbuf *out, const char *text, size_t columns, size_t indent);
/* Appends `text`, cut with an ellipsis ("…", or "..." unless `unicode`) if it doesn't fit into `columns`. Returns the columns
 * used. */
size_t width_add(struct strbuf *out, const char *text, size_t columns, bool unicode);
