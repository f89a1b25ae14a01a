/* Removes a VM. All of it needs the VM's lock. */
#pragma once

#include "guest/work.h"
#include "operation/front.h"
#include "vm/vm.h"

/*
 * Fails with ERROR_WORK, naming the work, when there is something in the guest that is nowhere else; `found` then has it. A
 * stopped VM is started for the question. A VM that can't be asked counts as having work.
 */
int destroy_check_work(struct front *front, struct vm *vm, struct work *found, struct error **err);
/* Saves what exists only in the VM as a new file (guest/archive.h). Starts the VM if it doesn't run. */
int destroy_save_work(struct front *front, struct vm *vm, const char *path, struct error **err);
/* Ends and removes the VM with everything we made for it. An interrupted removal is finished by calling again. */
int destroy_vm(struct front *front, struct vm *vm, struct error **err);
