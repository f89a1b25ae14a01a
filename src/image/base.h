/*
 * The base layer: a Debian 13 root made from Debian's signed packages by mmdebstrap (as root, or rootless in its unshare
 * mode), as ext4 in a qcow2 disk with kernel and initrd beside it.
 *
 * Its key is the SHA-256 of all that goes in: suite, architecture, package list, the guest/ files with their modes, the
 * guest user's name, and this recipe's version. With `further` Debian packages, which a recipe asks for, it is a different
 * image: then dpkg installs them at this computer's own speed, and not in a guest.
 */
#pragma once

#include "image/layer.h"

/* Finds the base layer for a guest user named `user`, with `further` packages (NULL = none). Returns 1 with `out` filled in; 0
 * when it isn't there; -1 with an error. */
int base_find(const char *user, const struct strv *further, struct layer *out, struct error **err);
/* The same, but builds it when it is missing, with progress. The package manager's output is kept as logs/base-KEY.log in the
 * state folder and quoted when it fails. */
int base_ensure(const char *user, const struct strv *further, struct event_sink *events, struct layer *out, struct error **err);
