/*
 * What several commands do to a VM in the same way. All of it under the VM's lock.
 */
#pragma once

#include "command/command.h"
#include "command/target.h"
#include "plan/drift.h"

/* A new VM's record, from what the project says. */
void lifecycle_describe(struct vm_record *record, const struct project *project, const char *name, const char *engine);
/*
 * A project and its VM, locked, for the commands that make one. Whether the name may be taken is asked once more under the
 * lock: it may have been taken while we waited.
 */
int lifecycle_open(struct context *context, const char *name, struct target *target, struct vm *vm, struct error **err);
struct lifecycle_result {
        const char *how;   /* "created", "forked", "started" or "running" */
        size_t not_set_up; /* repos whose set-up failed: there was a warning */
};
/* Carries a plan out (see plan.h). */
int lifecycle_up(struct context *context, struct vm *vm, const struct target *target, const char *engine,
                 struct lifecycle_result *out, struct error **err);
/* Prints what lifecycle_up() would do, on stdout. */
int lifecycle_dry_run(struct context *context, struct vm *vm, const struct target *target, struct error **err);
/* What a VM that is there has otherwise than the project says. */
int lifecycle_drift(const struct vm *vm, const struct target *target, struct vm_status *status, struct drift *out,
                    struct error **err);
/* Boots an existing VM and makes its ssh configuration: for ssh, run and proxy, which don't look at the project. Running:
 * success. */
int lifecycle_start(struct context *context, struct vm *vm, struct error **err);
/* Stops it if it runs. `was_running` may be NULL. */
int lifecycle_stop(struct context *context, struct vm *vm, bool *was_running, struct error **err);
/*
 * Refuses (ERROR_WORK, naming it) when a repo in the guest has work that is nowhere else. A stopped VM is started to be
 * asked; one that can't be asked counts as having work.
 */
int lifecycle_check_work(struct context *context, struct vm *vm, struct error **err);
/* Ends and removes the VM with everything we made for it. An interrupted one is finished by calling again. */
int lifecycle_destroy(struct context *context, struct vm *vm, struct error **err);
