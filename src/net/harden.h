/*
 * What the two processes give up once they are set up. Both: new privileges, core dumps, every descriptor but their own,
 * every capability (the supervisor keeps CAP_NET_BIND_SERVICE, for low ports that root forwards), files (by Landlock, where
 * the kernel has it) and system calls (by seccomp). Their owner can still look into them, as `machine audit` does.
 *
 * A filter is inherited. The supervisor starts workers after its own is on, so that its list is the worker's and what
 * setting one up takes; what isn't on it fails with EPERM. The worker, which reads what the guest wrote, is killed.
 */
#pragma once

#include "lib/error.h"

/* Closes all descriptors from 3 on but those of `keep` (-1 is nothing). */
int harden_close_others(const int *keep, size_t count, struct error **err);

/* `socket_path`: the unix socket that workers make, and the supervisor removes; NULL = none. */
int harden_supervisor(const char *socket_path, struct error **err);
int harden_worker(struct error **err);
