/*
 * Tables of text. A column is as wide as its widest cell (by display width); the last one is not padded. Cells are made
 * visible. On a terminal that is too narrow the last column is wrapped, or else each row becomes a paragraph.
 */
#pragma once

#include "lib/strbuf.h"
#include "lib/strv.h"
#include <stdio.h>

struct table;

struct table *table_new(const char *const *headings);          /* NULL-ended */
void table_add(struct table *table, const char *const *cells); /* as many as headings; NULL cell = "-" */
/* Appends it for a screen of so many columns; SIZE_MAX = it may be as wide as it is. */
void table_add_to(const struct table *table, size_t screen, struct strbuf *out);
/* Prints it, as wide as the terminal when `file` is one. */
void table_print(const struct table *table, FILE *file);
void table_free(struct table *table);
void table_freep(struct table **table);
