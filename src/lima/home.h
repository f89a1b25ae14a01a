/*
 * Our own LIMA_HOME, $XDG_STATE_HOME/machine/lima: nobody's settings in _config/ are mixed into our VMs' there, and its
 * instances are ours. Beside it lies lima.lock, held by whoever makes or removes an instance; what is done to one instance
 * alone is guarded by its VM's lock.
 *
 * Lima makes unix sockets in an instance's folder, so that folder's path has a limit, counted without symlinks.
 */
#pragma once

#include "lib/error.h"
#include "lib/lock.h"

/* Without symlinks, as Lima sees it. Owned by the caller. */
char *home_folder(void);
/*
 * The name of a VM's instance: the VM's name, but Lima takes no two hyphens in a row, so that "a--b" becomes "a.2.b" (no VM's
 * name has a dot). Owned by the caller.
 */
char *home_instance(const char *vm);
/* Its folder. Owned by the caller. */
char *home_instance_folder(const char *vm);

/* Is the path of the VM's instance short enough? Otherwise ERROR_ENGINE that says what to do. */
int home_check(const char *vm, struct error **err);
/*
 * Makes LIMA_HOME with the key that Lima itself logs in by, and takes the lock: Lima would make the key by itself, but two at
 * once fail. Settings of somebody's that Lima would mix into every VM are refused.
 */
int home_prepare(struct lock *lock, struct error **err);
/* The public part of that key, a line without its end. Owned by the caller; NULL with an error. */
char *home_key(struct error **err);
