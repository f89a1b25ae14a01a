/* Turns the entries of one file into the steps of a part; used by recipe.c. */
#pragma once

#include "config/recipe-place.h"
#include "config/recipe-schema.h"

void recipe_step_clear(struct recipe_step *step);
/* Appends an empty step; valid until the next call. */
struct recipe_step *recipe_part_add(struct recipe_part *part, enum recipe_kind kind, const char *id, unsigned line,
                                    unsigned column);
void recipe_step_add_value(struct recipe_step *step, const char *name, const char *item);
void recipe_step_add_values(struct recipe_step *step, const char *name, const struct strv *items);
void recipe_step_add_file(struct recipe_step *step, const char *name, const void *content, size_t length, bool executable);

/*
 * Makes all steps of a file: applies `when`, fills in names in URLs, and reads files beside it. Reports all mistakes at once.
 * `place` is where it was read from; `part` has its name and file.
 */
int recipe_steps_make(const struct recipe_source *source, const struct recipe_place *place, const struct recipe *recipe,
                      struct recipe_part *part, struct error **err);
