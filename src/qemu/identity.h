/*
 * What makes a guest this VM: its description for guest/identity (the form is in guest/README.md), with the private host
 * key in it. It is given to QEMU as an open file without a name, and never lies on a disk.
 */
#pragma once

#include "vm/vm.h"

/* A descriptor of the file, sealed, to be read from its begin. */
int identity_open(const struct vm *vm, int *fd, struct error **err);
