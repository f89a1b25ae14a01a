/* `up`: makes, starts and fills a project's VM, whatever of it is already there. All of it needs the VM's lock. */
#pragma once

#include "operation/front.h"
#include "operation/target.h"
#include "vm/vm.h"

/*
 * Finds a project and opens its VM, locked. Checks once more under the lock that the name may be taken: it may have been taken
 * while we waited.
 */
int up_open(struct front *front, const char *name, struct target *target, struct vm *vm, struct error **err);

struct up_result {
        const char *how;   /* "created", "restored" (from a template), "started", "woken" (it was parked) or "running" */
        size_t not_set_up; /* number of repos whose set-up failed, each with a warning */
};
/* Fails when something is missing of which `up` only warned: repos that could not be set up, and optional steps that failed. */
int up_check_whole(const struct vm *vm, const struct up_result *up, struct error **err);
/* Carries a plan out (plan.h). `engine` is "auto" or the name of a new VM's engine. */
int up_vm(struct front *front, struct vm *vm, const struct target *target, const char *engine, struct up_result *out,
          struct error **err);
