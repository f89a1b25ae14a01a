/* Throwaway VMs (vm/throwaway.h) in QEMU. They end with us. */
#pragma once

#include "qemu/launch.h"
#include "vm/throwaway.h"

/* A script of guest/template, behind `strip`, as root in the guest, `argument` its first argument. */
int scratch_run(const struct launch *launch, const char *script, const char *argument, struct error **err);
/* Ends QEMU in order: nothing in the guest is to write any more. */
int scratch_quit(const struct launch *launch, struct qmp *qmp, struct error **err);
/* The console's log of a guest that failed outlives its folder; a hint names it. */
void scratch_keep_console(const struct runtime *runtime, const char *kind, const char *key, struct error **err);
