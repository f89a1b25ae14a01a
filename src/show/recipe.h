/* A recipe's steps as JSON, for --json and other fronts. */
#pragma once

#include "config/recipe.h"
#include "lib/json.h"
#include "operation/outlook.h"
#include "plan/plan.h"

/* "pinned" by the recipe, "locked" by machine.lock, or "will be recorded" there. */
const char *show_download_state(const struct recipe_download *download);
/* The list of a VM's record or a layer's manifest (config/recipe-lack.h). */
json_t *show_lacks(const struct strv *lacks);
/* What `up` would do: the plan's steps, what a new VM is made from (step "layer"), then the recipe's steps. */
json_t *show_plan(const struct plan *plan, const struct outlook *outlook, const struct recipe *recipe);
