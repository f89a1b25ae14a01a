/* Throwaway VMs (vm/throwaway.h) in QEMU. They end with us. */
#pragma once

#include "qemu/launch.h"
#include "vm/throwaway.h"

/* Runs a script of guest/template, with `strip` in front of it, as root in the guest. `argument` is its first argument. */
int scratch_run(const struct launch *launch, const char *script, const char *argument, struct error **err);
/* Ends QEMU by its command "quit". Nothing in the guest may write any more by then. */
int scratch_quit(const struct launch *launch, struct qmp *qmp, struct error **err);
/* Moves the console's log of a guest that failed to where it outlives the VM's folder; a hint names it. */
void scratch_keep_console(const struct runtime *runtime, const char *kind, const char *key, struct error **err);
