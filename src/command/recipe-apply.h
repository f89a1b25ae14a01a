/* A project's recipe, applied in a running VM: downloads by the host, steps in the guest, machine.lock. */
#pragma once

#include "command/command.h"
#include "command/target.h"
#include "config/recipe.h"
#include "vm/vm.h"

/* Is there a step of the part that applies? */
bool recipe_apply_has_work(const struct recipe_part *part);
/*
 * Runs what the guest lacks of the recipe's part number `part`. What was downloaded or installed for the first time is recorded
 * in machine.lock, and the recipe is read anew with that. Killed at any moment, the next call goes on.
 */
int recipe_apply_part(struct context *context, const struct vm *vm, const struct target *target, struct recipe *recipe,
                      size_t part, struct error **err);
/* All parts. *hash becomes that of the recipe as it then is (recipe_hash(); owned by the caller). */
int recipe_apply(struct context *context, const struct vm *vm, const struct target *target, char **hash, struct error **err);
