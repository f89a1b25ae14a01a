/* --follow: something of a VM's is looked at again and again. */
#pragma once

#include "vm/vm.h"

/* Calls `look` twice a second for as long as the VM runs and it returns 0. 1 = it has seen enough; -1 = it has failed. */
int follow(const struct vm *vm, int (*look)(const struct vm *vm, void *data, struct error **err), void *data,
           struct error **err);
