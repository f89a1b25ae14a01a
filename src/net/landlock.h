/*
 * Files out of reach, by Landlock (landlock(7)), so that a broken library can't hand out what its user may read. What
 * stays readable: where resolv.conf is and may come to be, and random numbers.
 */
#pragma once

#include "lib/error.h"

/*
 * For this process and its children, one more limit each time. In the folder of `socket_path` (NULL: nowhere) sockets may
 * still be made, and files removed. A kernel without Landlock is success: seccomp keeps files from being written all the same.
 */
int landlock_restrict(const char *socket_path, struct error **err);
