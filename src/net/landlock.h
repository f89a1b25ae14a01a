/*
 * Puts files out of reach by Landlock (landlock(7)), so that a library that was broken into can't hand out what its user may
 * read; where the kernel has scopes, also signals to other processes and abstract unix sockets. Succeeds on a kernel without
 * Landlock: seccomp still keeps the worker from opening files, and harden_walls() says what is missing.
 */
#pragma once

#include "lib/error.h"

/*
 * For this process and its children. The supervisor may read random numbers, and the folders where resolv.conf is or may come
 * to be. In the folder of `socket_path` (NULL: nowhere) its workers make a socket, and it removes that socket.
 */
int landlock_supervisor(const char *socket_path, struct error **err);
/* One more limit, for a worker that is set up: no files at all. */
int landlock_worker(struct error **err);
