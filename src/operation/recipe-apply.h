/* Applies a project's recipe in a running VM: downloads by the host, steps in the guest, machine.lock. */
#pragma once

#include "config/recipe.h"
#include "operation/front.h"
#include "operation/target.h"
#include "vm/vm.h"

/* Does any step of the part apply? */
bool recipe_apply_has_work(const struct recipe_part *part);
/*
 * What to do with the versions that the guest says it installed. Only a throwaway VM, in which a layer is filled and which
 * never sees a project's code, may pin a package that has no version yet. A version that machine.lock has is never replaced.
 */
enum recipe_versions { RECIPE_VERSIONS_IGNORED, RECIPE_VERSIONS_RECORDED };

/*
 * Runs what the guest lacks of the recipe's part number `part`. What was downloaded for the first time is recorded in
 * machine.lock, and so are versions if `versions` says so; the recipe is then read anew with that. When this is killed, the
 * next call goes on. An optional step that fails is a warning, and is added to `lacks` (config/recipe-lack.h).
 */
int recipe_apply_part(struct front *front, const struct vm *vm, const struct target *target, struct recipe *recipe, size_t part,
                      enum recipe_versions versions, struct strv *lacks, struct error **err);
/* Applies all parts, in a project's VM: what it has already is left alone. *hash becomes that of the recipe as it then is
 * (recipe_hash(); owned by the caller). */
int recipe_apply(struct front *front, const struct vm *vm, const struct target *target, struct strv *lacks, char **hash,
                 struct error **err);
