/*
 * Opens an existing VM by its name, and has it running: every command that opens a session needs this.
 */
#pragma once

#include "operation/front.h"
#include "vm/vm.h"

/* `name` is as on the command line; NULL = the checkout's or "default". Starts the VM when it doesn't run. No lock is held
 * afterwards. */
int running_open(struct front *front, const char *name, struct vm *vm, struct error **err);
/* The same for exactly this VM's name, without looking at any project or checkout (for `proxy`, which runs in any folder). */
int running_open_by_name(struct front *front, const char *name, struct vm *vm, struct error **err);
