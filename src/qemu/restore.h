/*
 * Starts a new VM where its warm template stopped. The VM has an identity of its own before anything can connect to it.
 *
 *         create   makes the disk on top of the template's, and the file VM folder/restore. The file stays until the restore is
 *                  complete. While it is there nobody has worked in the VM, and its disk may be replaced
 *         start    restore_start(); when that fails the VM boots cold from the same disk
 */
#pragma once

#include "image/layer.h"
#include "qemu/runtime.h"

/* Is the next start a restore from the template? */
bool restore_is_due(const struct runtime *runtime);
int restore_plan(const struct runtime *runtime, struct error **err);
/* Drops the plan: the VM was restored, or it boots cold. */
int restore_forget(const struct runtime *runtime, struct error **err);

/*
 * Restores the VM. Returns 1 when it runs and has its identity. Returns 0 when it can't be restored: a warning said so, a
 * template that is to blame was dropped, and the disk is as good as new. Returns -1 when it can't boot either.
 */
int restore_start(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct event_sink *events,
                  struct error **err);
