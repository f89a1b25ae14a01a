/*
 * What machine.lock may say of a package: one exact version, in the grammar of the step's kind. Anything else is refused: an
 * alias of another package ("npm:@other/x@1"), a URL, a range, a tag or an option.
 *
 *         if (recipe_pin_is_open(step, name) && recipe_pin_is_version(step->kind, version))
 *                 …record it
 *
 * Sources: Debian policy, 5.6.12; PEP 440 and 508; semver.org and npm's package.json(5).
 */
#pragma once

#include "config/recipe.h"

/* What stands between a package and its version: "=", "==", "@". NULL = the kind has no packages. */
const char *recipe_pin_mark(enum recipe_kind kind);
bool recipe_pin_is_version(enum recipe_kind kind, const char *text);
/* Does the step name a package `name` without a version? "uv" is open in a uv_tool step without one. */
bool recipe_pin_is_open(const struct recipe_step *step, const char *name);
/* Is it a name by Debian's policy, and not one that means something else to apt ("tree-" removes)? */
bool recipe_pin_is_debian_name(const char *text);
