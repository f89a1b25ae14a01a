/* Finds out what there is of a project's VM, and what would have to be done. Nothing is changed. */
#pragma once

#include "config/recipe.h"
#include "guest/commits.h"
#include "operation/outlook.h"
#include "operation/target.h"
#include "plan/drift.h"
#include "plan/plan.h"
#include "vm/vm.h"

struct observation {
        struct vm_status status;
        struct engine_lost lost; /* when it runs */
        struct commits commits;
        struct recipe recipe;
        char *recipe_hash;
        struct plan_observed seen; /* points into the VM and the above */
};

#define OBSERVATION_INIT                                                                                                       \
        {                                                                                                                      \
                .status = VM_STATUS_INIT, .commits = COMMITS_INIT, .recipe = RECIPE_INIT                                       \
        }

void observation_clear(struct observation *observation);
int observe(const struct vm *vm, const struct target *target, struct observation *out, struct error **err);
/* Finds what is there, and the steps to what the project says. Fails when the VM's engine can't hold the project's line. */
int observe_plan(const struct vm *vm, const struct target *target, struct observation *observed, struct plan *plan,
                 struct error **err);
/* Finds what a new VM of the project would be made from, by the engine that it would get (outlook.h). */
int observe_outlook(const struct target *target, struct outlook *out, struct error **err);
/* Finds the steps, and the recipe that they would apply. */
int observe_preview(const struct vm *vm, const struct target *target, struct plan *plan, struct recipe *recipe,
                    struct error **err);
/* Finds how an existing VM differs from its project. */
int observe_drift(const struct vm *vm, const struct target *target, struct vm_status *status, struct drift *out,
                  struct error **err);
