/*
 * Warm templates: a layer that was booted, warmed, stripped of its identity and saved with its memory, so that new VMs begin
 * where it stopped. On top of what a layer has:
 *
 *         KEY/memory   the guest's memory, as a file that VMs map privately; never changed again
 *         KEY/state    the guest's devices (migration.h)
 *
 * Its key is the hash of all that a restore depends on (the layer below, QEMU and its command line, the processor, what
 * guest/template/warm does) and of a serial number. A template that was dropped leaves its disk to the VMs that stand on it,
 * and the next one of the same kind is another layer.
 */
#pragma once

#include "host/acceleration.h"
#include "image/layer.h"
#include "qemu/toolkit.h"
#include "vm/record.h"

struct template_wish {
        const struct layer *base;
        const char *user, *shell; /* of the guest */
        int64_t cpus, memory_bytes;
        const struct toolkit *toolkit;
        const struct acceleration *acceleration;
};

/* What a VM with that record (user, shell, cpus, memory) is restored from, on `base`. Borrows everything. */
struct template_wish template_wish_for(const struct vm_record *record, const struct layer *base, const struct toolkit *toolkit,
                                       const struct acceleration *acceleration);

/* Finds the template for that wish. Returns 1 with `out` filled in, 0 when none can be restored, -1 on failure. */
int template_find(const struct template_wish *wish, struct layer *out, struct error **err);
/* The same, but builds it when it is missing, with progress. */
int template_ensure(const struct template_wish *wish, struct event_sink *events, struct layer *out, struct error **err);

bool template_is(const struct layer *layer);
/* Fails with ERROR_ENGINE when it was not made for this wish. */
int template_fits(const struct layer *layer, const struct template_wish *wish, struct error **err);
/* Fails with ERROR_ENGINE when it is not as it was saved, by its files' sizes and the times of their last change. */
int template_check(const struct layer *layer, struct error **err);
/* The bytes that its memory and state take on the disk; 0 = it was dropped. */
int64_t template_bytes(const struct layer *layer);
/* Removes memory and state. The disk stays for the VMs that stand on it. */
int template_drop(const struct layer *layer, struct error **err);

/* KEY/memory, KEY/state. Owned by the caller. */
char *template_memory(const struct layer *layer);
char *template_state(const struct layer *layer);
