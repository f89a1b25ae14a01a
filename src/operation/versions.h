/*
 * Remembers the versions and hashes that this computer has resolved for recipes, so that a second project with the same recipe
 * gets the same ones, and so can use the layers that exist.
 *
 * Each part of a recipe that was filled into a layer has a file of its own ($XDG_DATA_HOME/machine/versions/KEY), in the
 * format of machine.lock. KEY is the hash of the part as it is written, and of all parts below it: what the base does to the
 * package managers decides which versions a profile gets.
 *
 * When machine.lock has anything for a part, nothing is added to it for that part.
 */
#pragma once

#include "operation/recipe.h"

/*
 * Adds to `lock` what is remembered for the parts for which it has nothing. *count becomes the number of added entries.
 * `written` must be resolved (recipe_resolve()) with an empty lock file.
 */
int versions_recall(const struct recipe *written, struct lockfile *lock, size_t *count, struct error **err);
/* The same for the project's machine.lock, which is written when something was added. The front is told. */
int versions_adopt(struct front *front, const struct target *target, struct error **err);
/* Remembers what machine.lock has for part number `part`, once a layer was filled with it. */
int versions_remember(const struct target *target, size_t part, struct error **err);
/* Forgets what is remembered for the project's recipe, so that the next filling resolves it anew. */
int versions_forget(const struct target *target, struct error **err);
