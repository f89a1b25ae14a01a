/*
 * Gives a stopped VM another name. The one step that counts is that its folder is renamed (vm_rename()). What names the VM
 * elsewhere follows from that: ssh's configuration and the remote of its checkout are led to the new name at once, or by the
 * next `up` if this is interrupted. What a person has written is left alone.
 */
#pragma once

#include "config/project.h"
#include "operation/front.h"
#include "vm/vm.h"

/*
 * `vm` becomes the one with the new name, locked. Refuses while it runs, when its engine can't do that (engine.renames), and
 * when the new name is taken by a VM or a project. A VM whose folder an interrupted call has renamed is only completed. Says
 * in notes what the person has to edit.
 */
int rename_vm(struct front *front, const char *from, const char *to, struct vm *vm, struct error **err);
/* Completes what an interrupted rename_vm() has left: nothing to do for a VM that has no former name. Needs the lock. Fails
 * only when the record can't be written; what can't be changed elsewhere is a warning, and is tried again the next time. */
int rename_follow(struct front *front, struct vm *vm, struct error **err);
