/*
 * Our own LIMA_HOME, $XDG_STATE_HOME/machine/lima. No settings of the user's in _config/ are mixed into our VMs there, and all
 * its instances are ours. Beside it is lima.lock, held by whoever makes or removes an instance. Work on one instance alone is
 * guarded by its VM's lock.
 *
 * Lima makes unix sockets in an instance's folder, so the folder's path must not be too long, counted without symlinks.
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

/* Fails with ERROR_ENGINE, which says what to do, when the path of the VM's instance is too long. */
int home_check(const char *vm, struct error **err);
/*
 * Makes LIMA_HOME with the key that Lima itself logs in with, and takes the lock. Lima would make the key by itself, but two
 * runs at once fail. Fails when there are settings that Lima would mix into every VM.
 */
int home_prepare(struct lock *lock, struct error **err);
/* The public part of that key, one line without its newline. Owned by the caller; NULL with an error. */
char *home_key(struct error **err);
