/*
 * Makes a base layer's files by mmdebstrap, mke2fs and qemu-img. Root uses mmdebstrap's root mode, everybody else its
 * unshare mode: there the new root's files belong to subordinate users, which only mmdebstrap's own user namespace maps, so
 * the disk image is made in there too, by guest/build/finish.
 */
#pragma once

#include "base-inputs.h"
#include "lib/event.h"
#include "lib/lock.h"

/* Can a base image be built here, with files in the folder `layers`? Otherwise ERROR_ENGINE with the command that mends it. */
int base_build_check(const char *layers, struct error **err);

/*
 * Puts disk.qcow2, vmlinuz, initrd and manifest.json into `folder` (0700, there already). What the programs say goes to the
 * file `log`. Afterwards, and after a failure, the folder also holds what base_build_tidy() removes. `lock` guards the folder;
 * mmdebstrap holds on to it too, so that nobody else begins while it goes on after our death.
 */
int base_build(const struct base_inputs *inputs, const char *folder, const char *log, const struct lock *lock,
               struct event_sink *events, struct error **err);
/* Removes all but the layer's files: what lies in `folder`, and where mmdebstrap worked, also of a build that was killed. */
int base_build_tidy(const char *folder, struct error **err);
