/*
 * Which layers VMs need. Whatever can't be told counts as needed: a layer that VMs' disks stand on can't be made again, because
 * a new one with the same key has other bytes.
 */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"

/*
 * Appends the keys of the layers that VMs' disks stand on directly, and to `owners` (may be NULL) the name of the VM's folder
 * for each. A VM without a usable record is judged by its disk, and so is a folder that somebody has set aside. Fails, naming
 * the disk, when neither tells.
 */
int need_layers(struct strv *keys, struct strv *owners, struct error **err);
/* Appends the names of the VMs that stand on this layer, directly or through others. */
int need_of_layer(const char *key, struct strv *vms, struct error **err);
