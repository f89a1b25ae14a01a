/* --follow: looks at something of a VM again and again. */
#pragma once

#include "vm/vm.h"

/* Calls `look` twice a second while the VM runs and `look` returns 0. `look` returns 1 to stop, and -1 when it failed. */
int follow(const struct vm *vm, int (*look)(const struct vm *vm, void *data, struct error **err), void *data,
           struct error **err);
