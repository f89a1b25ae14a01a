/* A project's recipe with all that machine.lock has for it, and how `plan` and `up --dry-run` show it. */
#pragma once

#include "command/target.h"
#include "config/recipe.h"
#include "lib/json.h"

/* As it was written, without machine.lock. */
int recipe_view_recipe(const struct target *target, struct recipe *out, struct error **err);
/* Read and resolved. Nothing is downloaded or changed. */
int recipe_view_read(const struct target *target, struct recipe *out, struct error **err);
/* On stdout: each part, its steps, why one is left out, and what is known of downloads and versions. */
void recipe_view_print(const struct recipe *recipe);
/* Appends an object for each step to the array `steps`. */
void recipe_view_json(const struct recipe *recipe, json_t *steps);
