/*
 * What makes a guest this VM: its description for guest/identity (the form is in guest/README.md), with the private host
 * key in it. It is given to QEMU as an open file without a name, and never lies on a disk.
 */
#pragma once

#include "lib/strbuf.h"
#include "vm/vm.h"

/* Appends the description, with room for a little more. A secret: `out` is to be cleared by identity_wipe(). */
int identity_describe(const struct vm *vm, struct strbuf *out, struct error **err);
void identity_wipe(struct strbuf *description);
/* A descriptor of the file, sealed, to be read from its begin. */
int identity_open(const struct vm *vm, int *fd, struct error **err);
