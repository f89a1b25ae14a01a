/*
 * How many columns a text takes on a terminal. Texts are UTF-8, already made visible (text_visible); what is no UTF-8 counts
 * one column a byte.
 */
#pragma once

#include "lib/strbuf.h"

size_t width_of(const char *text);
/* The length in bytes of the longest start of `text` that fits into `columns`; combining marks stay with their letter. */
size_t width_cut(const char *text, size_t columns);
/* Appends `text`, cut with an ellipsis ("…", or "..." unless `unicode`) where it doesn't fit into `columns`. The columns used.
 */
size_t width_add(struct strbuf *out, const char *text, size_t columns, bool unicode);
