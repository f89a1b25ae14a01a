/* A project's recipe, applied in its running VM: downloads by the host, steps in the guest, machine.lock. */
#pragma once

#include "command/command.h"
#include "command/target.h"
#include "config/recipe.h"
#include "vm/vm.h"

/* As recipe_view_read(), without what isn't applied in VMs one by one: the shipped base recipe. */
int recipe_apply_read(const struct target *target, struct recipe *out, struct error **err);
/*
 * Runs what the guest lacks of it. What was downloaded or installed for the first time is recorded in machine.lock. *hash
 * becomes that of the recipe as it then is (recipe_hash(); owned by the caller). Killed at any moment, the next call goes on.
 */
int recipe_apply(struct context *context, const struct vm *vm, const struct target *target, char **hash, struct error **err);
