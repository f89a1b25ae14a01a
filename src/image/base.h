/*
 * The base layer: a Debian 13 root made from Debian's signed packages by mmdebstrap (as root, or rootless by its unshare
 * mode), as ext4 in a qcow2 disk with kernel and initrd beside it.
 *
 * Its key is the SHA-256 of all that goes in: suite, architecture, package list, the guest/ files with their modes, the
 * guest user's name, and this recipe's version.
 */
#pragma once

#include "image/layer.h"

/* The base layer for a guest user named `user`: 1 with `out` filled in; 0 when it isn't there; -1 with an error. */
int base_find(const char *user, struct layer *out, struct error **err);
/* The same, built when it is missing, with progress. The package manager's output is kept as logs/base-KEY.log in the state
 * folder and quoted when it fails. */
int base_ensure(const char *user, struct event_sink *events, struct layer *out, struct error **err);
