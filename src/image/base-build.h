/*
 * Makes a base layer's files with mmdebstrap, mke2fs and qemu-img. Root uses mmdebstrap's root mode, everybody else its
 * unshare mode. In unshare mode the new root's files belong to subordinate users, which only mmdebstrap's own user namespace
 * maps. So the disk image is made inside that namespace too, by guest/build/finish.
 */
#pragma once

#include "image/base-inputs.h"
#include "lib/event.h"
#include "lib/lock.h"

/* Fails with ERROR_ENGINE when no base image can be built here, with files in the folder `layers`. The hint is the command that
 * fixes it. */
int base_build_check(const char *layers, struct error **err);

/*
 * Puts disk.qcow2, vmlinuz, initrd and manifest.json into `folder` (0700, there already). The programs' output goes to the
 * file `log`. Afterwards, and after a failure, the folder also holds what base_build_tidy() removes. `lock` guards the folder.
 * mmdebstrap holds it too, so that nobody else begins while it still runs after our death.
 */
int base_build(const struct base_inputs *inputs, const char *folder, const char *log, const struct lock *lock,
               struct event_sink *events, struct error **err);
/* Removes everything but the layer's files, in `folder` and where mmdebstrap worked. Works after a killed build too. */
int base_build_tidy(const char *folder, struct error **err);
