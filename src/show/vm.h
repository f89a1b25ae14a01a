/* VMs as JSON, for --json and other fronts. */
#pragma once

#include "lib/json.h"
#include "operation/inventory.h"
#include "plan/drift.h"

/* An entry of `list`. */
json_t *show_entry(const struct inventory_entry *entry);
/* `status`: a VM, and how it differs from its configuration. `compared`: the configuration could be used. */
json_t *show_status(const struct vm *vm, const struct vm_status *status, const struct drift *drift, bool compared);
