/*
 * Tables of text. A column is as wide as its widest cell (by display width); the last one is not padded. Cells are made
 * visible.
 */
#pragma once

#include "lib/strv.h"
#include <stdio.h>

struct table;

struct table *table_new(const char *const *headings);          /* NULL-ended */
void table_add(struct table *table, const char *const *cells); /* as many as headings; NULL cell = "-" */
void table_print(const struct table *table, FILE *file);
void table_free(struct table *table);
void table_freep(struct table **table);
