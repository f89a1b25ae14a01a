/*
 * A new VM that begins where its warm template stopped, with an identity of its own before anything can connect to it.
 *
 *         create   the disk on top of the template's, and the file VM folder/fork, which is there until the fork is complete:
 *                  as long as it is, nobody has worked in the VM, and its disk may be made anew
 *         start    fork_start(); where that fails the VM boots cold from the same disk
 */
#pragma once

#include "image/layer.h"
#include "qemu/runtime.h"

/* Is the next start to be a fork? */
bool fork_is_due(const struct runtime *runtime);
int fork_plan(const struct runtime *runtime, struct error **err);
/* No more: it has become one, or it boots cold. */
int fork_forget(const struct runtime *runtime, struct error **err);

/*
 * Restores the VM. 1: it runs and has its identity. 0: it can't be forked (said once as a warning; a template that is to blame
 * was dropped), and its disk is as good as new. -1: nor could it boot.
 */
int fork_start(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct event_sink *events,
               struct error **err);
