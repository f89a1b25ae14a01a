/* Brings work back into a VM that `destroy --save` took out of one. It needs the VM's lock. */
#pragma once

#include "guest/archive.h"
#include "operation/front.h"

/*
 * Unpacks the archive in a running VM. Unless the VM is `fresh`, made a moment ago, it must hold no work of its own: that could
 * be overwritten. Otherwise ERROR_WORK names that work. A killed run is finished by calling again with the same archive.
 */
int unpack_work(struct front *front, struct vm *vm, const struct archive *archive, bool fresh, struct error **err);
