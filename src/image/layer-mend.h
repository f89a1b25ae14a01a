/*
 * What can be done about a damaged layer. Its manifest can be written anew from what its disk says. Its files can't be made
 * again for the VMs that stand on them, but a layer that no VM needs can be removed and made from the start.
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"

bool layer_is_key(const char *name);
/* The key in ".../KEY/disk.qcow2". Owned by the caller; NULL = it is not such a path. */
char *layer_key_of_disk(const char *path);
/* Finds which layer this one stands on, by its manifest, or by its disk when that is damaged. Returns 1 with the key in *below,
 * owned by the caller; 0 when it stands on none; -1 when neither tells. */
int layer_below(const char *key, char **below, struct error **err);

/*
 * Writes damaged manifests anew, of the layer and of all below it, with a note for each; what was there is set aside. Returns 0
 * when the layer can be used then, else -1 with the error of layer_find().
 */
int layer_mend(const char *key, struct event_sink *events, struct error **err);
/* Removes the layer and all layers that stand on it. Fails with ERROR_ENGINE, which names the VMs, when VMs need it. The caller
 * holds the layer's lock, or knows that nobody does. */
int layer_clear_away(const char *key, struct error **err);
