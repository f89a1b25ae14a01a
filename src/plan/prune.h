/*
 * Finds the layers that can be removed: pure, no I/O. A layer that a VM's disk stands on, directly or through other layers, is
 * never among them.
 */
#pragma once

#include "vm/engine.h"

struct prune_step {
        size_t layer;       /* its place in the list */
        bool memory_only;   /* a template loses its memory and stays for the VMs on its disk */
        int64_t bytes;      /* how much that frees on the host's disk */
        const char *reason; /* static */
};

struct prune {
        struct prune_step *steps; /* a layer that stands on another comes before it */
        size_t count;
};

#define PRUNE_INIT                                                                                                             \
        {                                                                                                                      \
                0                                                                                                              \
        }
void prune_clear(struct prune *prune);

/*
 * `used` has the keys of the layers that VMs' disks stand on. Removes all layers that nothing needs. Layers that a new VM would
 * be made from stay, unless `all`. With `all`, templates that VMs stand on lose their memory. What is `held` stays in any case,
 * with all that it stands on.
 */
void prune_unused(const struct engine_layers *layers, const struct strv *used, bool all, struct prune *out);
/* What all steps free. */
int64_t prune_bytes(const struct prune *prune);
/* Removes the memory of the least recently used templates until the rest is within `budget` bytes. The one used last stays. */
void prune_budget(const struct engine_layers *layers, int64_t budget, struct prune *out);

/* Appends the names of the VMs that need the layer, or one that stands on it. `owners` has the VM's name for each of `used`. */
void prune_owners(const struct engine_layers *layers, size_t layer, const struct strv *used, const struct strv *owners,
                  struct strv *out);
/* How many other layers stand on it, directly or through others. A layer of which that can't be told counts. */
size_t prune_layers_on(const struct engine_layers *layers, size_t layer);
/* Does a VM need the layer, or a layer that stands on it, or does somebody make something from it? */
bool prune_is_used(const struct engine_layers *layers, size_t layer, const struct strv *used);
