/*
 * The description of a VM (vm/identity.h) as QEMU gets it: an open file without a name, so that it never lies on a disk.
 */
#pragma once

#include "vm/vm.h"

/* A descriptor of the sealed file, to be read from its beginning. */
int identity_open(const struct vm *vm, int *fd, struct error **err);
