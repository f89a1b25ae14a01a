/*
 * The engine's functions (vm/engine.h says what each does), one file each; engine.c has the table of them.
 *
 * A VM is one of Lima's instances in a LIMA_HOME of our own (home.h). The definition it was made from is kept in the VM's
 * folder, so that Lima's copy of it can be repaired.
 */
#pragma once

#include "vm/vm.h"

int lima_base_layer(const char *user, const struct strv *packages, bool make, struct event_sink *events, char **key,
                    struct error **err);
int lima_stands_on(const char *key, const char *below, struct error **err);
int lima_fill_layer(const struct engine_filling *wanted, struct event_sink *events, char **key, struct error **err);
int lima_abandon(const char *name, struct error **err);
int lima_create(struct vm *vm, struct event_sink *events, struct error **err);
int lima_remove(struct vm *vm, struct error **err);
/*
 * Waits for what another run started, or starts it over when Lima gave it up or left it half done. If that fails, a VM that ran
 * before is left running, because there may be work in it: only what was started here is ended again.
 */
int lima_start(struct vm *vm, struct event_sink *events, struct error **err);
int lima_stop(struct vm *vm, struct event_sink *events, struct error **err);
int lima_kill(struct vm *vm, struct error **err);
int lima_remains(const struct vm *vm, struct vm_record *out, struct error **err);
