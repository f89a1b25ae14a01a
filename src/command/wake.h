/*
 * An existing VM by its name, running: what every command needs that opens a session.
 */
#pragma once

#include "command/command.h"
#include "vm/vm.h"

/* `name` as on the command line, NULL = the checkout's or "default". Starts the VM when it doesn't run; no lock is held
 * afterwards. */
int wake(struct context *context, const char *name, struct vm *vm, struct error **err);
/* The same by a VM's very name: no project, no checkout is looked at (for `proxy`, which runs in any folder). */
int wake_named(struct context *context, const char *name, struct vm *vm, struct error **err);
