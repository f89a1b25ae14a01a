/*
 * VMs that belong to nobody: booted in the folder that becomes a layer's, under a name that no project's VM can have, and
 * gone when the layer is there. They end with us.
 */
#pragma once

#include "qemu/launch.h"

/* One of that kind ("template", "recipe") for the layer `key`, with new keys in `folder`. record.name is its host name. */
int scratch_invent(const char *kind, const char *key, const char *folder, const struct vm_record *size, struct vm *vm,
                   struct error **err);
/* A script of guest/template, behind `strip`, as root in the guest, `argument` its first argument. */
int scratch_run(const struct launch *launch, const char *script, const char *argument, struct error **err);
/* Appends scratch_run()'s text. */
int scratch_script(const char *script, struct strbuf *out, struct error **err);
/* Ends QEMU in order: nothing in the guest is to write any more. */
int scratch_quit(const struct launch *launch, struct qmp *qmp, struct error **err);
/* The console's log of a guest that failed outlives its folder; a hint names it. */
void scratch_keep_console(const struct runtime *runtime, const char *kind, const char *key, struct error **err);
/* Removes from `folder` all but the files `own` (NULL-ended), and the sockets. A killed build's QEMU ended with it. */
int scratch_tidy(const char *kind, const char *folder, const char *const *own, struct error **err);
