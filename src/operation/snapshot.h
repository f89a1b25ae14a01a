/* Snapshots of VMs: taking, listing, going back to and dropping them. All that changes a VM needs its lock. */
#pragma once

#include "operation/front.h"
#include "vm/vm.h"

/* The label of what snapshot_restore() keeps. */
#define SNAPSHOT_BEFORE_RESTORE "before going back"

/* Those of one VM, the newest first. */
struct snapshots {
        struct engine_layers layers;
        const struct engine_layer **items; /* in `layers` */
        size_t count;
};

#define SNAPSHOTS_INIT                                                                                                         \
        {                                                                                                                      \
                .layers = ENGINE_LAYERS_INIT                                                                                   \
        }
void snapshots_clear(struct snapshots *snapshots);
int snapshots_find(const struct vm *vm, struct snapshots *out, struct error **err);
/* The newest one with this label, or the one whose key begins so. ERROR_NOT_FOUND names those that there are. */
const struct engine_layer *snapshots_choose(const struct vm *vm, const struct snapshots *snapshots, const char *wanted,
                                            struct error **err);

/* Takes one. `label`: NULL = the time. *key (may be NULL) is owned by the caller. */
int snapshot_take(struct front *front, struct vm *vm, const char *label, bool automatic, char **key, struct error **err);
/*
 * Makes the VM the one that it was. What it is now becomes a snapshot first. A guest that ran goes on from there; out of its
 * connections, nothing is left.
 */
int snapshot_restore(struct front *front, struct vm *vm, const struct engine_layer *to, struct error **err);
/* Drops all of a VM that is being removed. */
int snapshots_drop_all(struct vm *vm, struct error **err);
/* Removes all dropped ones that nothing stands on any more. */
int snapshots_sweep(struct error **err);
/* Its disk stays for as long as something stands on it. */
int snapshot_drop(struct vm *vm, const struct engine_layer *snapshot, struct error **err);
