/* A second VM that begins where another one is: its disk and its memory, with an identity of its own. */
#pragma once

#include "operation/front.h"
#include "vm/vm.h"

/*
 * Makes the VM `name` out of `source`, which is locked and goes on as it was. The new one has another host name, machine id and
 * host key, keys of its own, and none of the ports. What programs of the source had in their memory, the copies of these
 * programs have; the files with its secrets are removed. `branch` (NULL = none) is made and checked out in its first repo.
 * Removes what it has begun when it fails. `out` is locked on success.
 */
int fork_vm(struct front *front, struct vm *source, const char *name, const char *branch, struct vm *out, struct error **err);
