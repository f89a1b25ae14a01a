/* Removes a VM. All of it needs the VM's lock. */
#pragma once

#include "operation/front.h"
#include "vm/vm.h"

/*
 * Fails with ERROR_WORK, naming the work, when a repo in the guest has work that is nowhere else. A stopped VM is started for
 * the question. A VM that can't be asked counts as having work.
 */
int destroy_check_work(struct front *front, struct vm *vm, struct error **err);
/* Ends and removes the VM with everything we made for it. An interrupted removal is finished by calling again. */
int destroy_vm(struct front *front, struct vm *vm, struct error **err);
