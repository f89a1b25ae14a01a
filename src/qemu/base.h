/*
 * The base layer: a Debian 13 root made from Debian's signed packages by mmdebstrap (as root, or rootless by its unshare
 * mode), as ext4 in a qcow2 disk with kernel and initrd beside it.
 *
 *         $XDG_DATA_HOME/machine/layers/KEY/{manifest.json,disk.qcow2,vmlinuz,initrd}
 *
 * KEY is the SHA-256 of all that goes in: suite, architecture, package list, the guest/ files with their modes, the
 * guest user's name, and this recipe's version. A layer is built in a folder beside it and renamed when it is whole (a killed
 * build leaves nothing that is later taken for a layer; the next build removes what it left), under one lock per key, so that
 * two builders wait for each other. Layers are read-only files.
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"

struct base_image {
        char *key;
        char *folder;
        char *disk, *kernel, *initrd; /* absolute paths */
        int64_t disk_bytes;           /* virtual size of `disk`: VMs' disks are at least that */
};

#define BASE_IMAGE_INIT                                                                                                        \
        {                                                                                                                      \
                0                                                                                                              \
        }
void base_image_clear(struct base_image *image);

/* The key for a guest user named `user`, and whether the layer is there: 1, 0, or -1 with an error. `out` is filled in both
 * cases. */
int base_find(const char *user, struct base_image *out, struct error **err);
/* A layer by its key (from a VM's record). Missing: ERROR_ENGINE that says which VM files are now useless and what to do. */
int base_open(const char *key, struct base_image *out, struct error **err);
/* The layer, built when it is missing, with progress. The package manager's output is kept as logs/base-KEY.log in the state
 * folder and quoted when it fails. */
int base_ensure(const char *user, struct event_sink *events, struct base_image *out, struct error **err);
