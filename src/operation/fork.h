/* A second VM that begins where another one is: its disk and its memory, with an identity of its own. */
#pragma once

#include "operation/front.h"
#include "vm/vm.h"

/* Fails when a fork can't have this name: it is a project's, or a VM's. */
int fork_check_name(const char *name, struct error **err);
/* Fails when a branch is wanted (not NULL) and the VM has no repo for it. */
int fork_check_branch(const struct vm *source, const char *branch, struct error **err);
/*
 * Makes a fork out of the snapshot `key` of `source`, whose lock need not be held. `race`: it is one of a race
 * (operation/race.h). Otherwise as fork_vm().
 */
int fork_make(struct front *front, const struct vm *source, const char *key, const char *name, const char *branch, bool race,
              struct vm *out, struct error **err);
/*
 * Makes the VM `name` out of `source`, which is locked and goes on as it was. The new one has another host name, machine id and
 * host key, keys of its own, and none of the ports. What programs of the source had in their memory, the copies of these
 * programs have; the files with its secrets are removed. `branch` (NULL = none) is made and checked out in its first repo.
 * Removes what it has begun when it fails. `out` is locked on success.
 */
int fork_vm(struct front *front, struct vm *source, const char *name, const char *branch, struct vm *out, struct error **err);
