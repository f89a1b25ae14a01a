/*
 * A parked guest: saved with its memory (moment.h), without a QEMU, and gone on with by the next start. Its machine-net lives
 * on and keeps its connections (lib/net-control.h).
 *
 *         VM folder/parked.begun   the guest is being saved, or it goes on and may still lack something
 *         VM folder/parked         it is saved
 *
 * As long as one of them is there, whoever wants the guest needs the VM's lock and starts it: engine_start() looks what is left
 * of a run that was killed. A guest goes on only after `parked` is gone, so what is loaded is never older than the disk. And
 * `parked.begun` goes only when the guest has its network and its identity.
 */
#pragma once

#include "qemu/launch.h"

/* Is its guest parked, or was it about to be? */
bool park_is_due(const struct runtime *runtime);
/* Can the guest go on from what was saved? False when the key is gone, because this computer was restarted. */
bool park_has_key(const struct runtime *runtime);
/*
 * Lets the guest of a QEMU that lives go on, of which a killed park or wake left it behind. Returns 1; 0 when that QEMU had yet
 * to load the guest, or the guest to become another VM's, and was ended; or -1.
 */
int park_settle(const struct vm *vm, const struct runtime *runtime, struct error **err);
/* Nothing loads what was saved any more: the guest is about to go on. It stays due until park_forget_saved(). */
int park_spend(const struct runtime *runtime, struct error **err);
/* The guest has all that it needs. */
int park_forget_saved(const struct runtime *runtime, struct error **err);
/* Removes what was saved, and ends the machine-net that waits for it. */
int park_forget(const struct runtime *runtime, struct error **err);

/* The guest's network goes on, over `wire` to a new QEMU; -1 = over the one that it has. An older one can't: its connections
 * ended with the QEMU before. */
int park_release_network(const struct runtime *runtime, int wire, struct error **err);

/*
 * Starts the guest from what was saved. Returns 1; 0 when that can't be, which a warning says, and the VM is to boot from its
 * disk (record.base may be another layer then); -1 when no VM can be started now, and what was saved is still there.
 */
int wake_start(struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct event_sink *events,
               struct error **err);
