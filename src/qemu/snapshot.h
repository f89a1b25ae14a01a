/*
 * Snapshots: a VM's disk as it was, and its guest's memory if it ran (moment.h). A snapshot is a layer of the kind "snapshot",
 * which the VM's disk then stands on:
 *
 *         LAYERS/KEY/manifest.json   "uuid" and "vm" (whose it is), "label", "automatic", "created", "parent"
 *         LAYERS/KEY/disk.qcow2      what was the VM's disk until then
 *         LAYERS/KEY/moment/         the guest's memory and devices
 *
 * A running VM is parked for it, gets a new disk on top of the old one, and goes on from what was saved.
 */
#pragma once

#include "vm/vm.h"

/*
 * Makes the VM's disk one that stands on the layer `key` and has nothing of its own, and has its next start go on with that
 * layer's guest, if it has one. The VM is not running. A run that was killed meanwhile is finished by snapshot_settle().
 */
int snapshot_stand_on(struct vm *vm, const char *key, struct error **err);
/* Keeps a VM that doesn't run as an automatic snapshot, and what is saved of its guest, and gives it an empty disk on top. */
int snapshot_set_aside(struct vm *vm, const char *label, struct error **err);
/* Finishes what a killed run left. Called before anything opens the disk. */
int snapshot_settle(struct vm *vm, struct error **err);
