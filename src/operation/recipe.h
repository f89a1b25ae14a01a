/* Reads the recipe of a project from the files that its target names. */
#pragma once

#include "config/recipe.h"
#include "operation/target.h"

/* As it was written, without machine.lock. */
int recipe_as_written(const struct target *target, struct recipe *out, struct error **err);
/*
 * With all that machine.lock has for it. A part for which machine.lock has nothing gets what another project resolved for the
 * same recipe (versions.h). Nothing is downloaded or changed.
 */
int recipe_resolved(const struct target *target, struct recipe *out, struct error **err);
