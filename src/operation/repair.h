/*
 * VMs whose record can't be read, and that have no copy of it (vm/record.h). A record is made up from what there is: the disk
 * says what it stands on and how large it is, the configuration says the rest.
 *
 * What is made up never lets a guest reach more than it did: without a configuration it reaches nothing, until `up` knows more.
 */
#pragma once

#include "operation/front.h"
#include "vm/vm.h"

/* Opens a VM for a command that ends or removes it, and so can do with a record that is made up, with a warning. Nothing is
 * written before the first vm_save(). A VM that isn't there is success with exists = false. */
int repair_open(struct front *front, const char *name, struct vm *vm, struct error **err);
/* Writes a record for every VM whose own can't be read, with a note for each. What is damaged is set aside. What can't be
 * repaired is a warning. */
void repair_vms(struct front *front);
