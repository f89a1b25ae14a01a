/* The memory that all running VMs may have together: `memory_budget` in config.toml. */
#pragma once

#include "operation/front.h"
#include "vm/vm.h"

/* Would the running VMs and one more of this size be within the budget, once all idle ones are parked? True without a budget.
 */
bool budget_has_room(int64_t memory_bytes);
/*
 * Before `vm` is started: parks idle VMs, the one that has been idle for longest first, until the rest and `vm` fit into the
 * budget. What can't be done is a warning, because no budget is worth keeping somebody from their work.
 */
void budget_make_room(struct front *front, const struct vm *vm);
