/*
 * What supervisor and worker give up once they are set up. (The waker gives up nothing, and a guest reaches it by one byte:
 * waker.h.) Both give up new privileges, core dumps, every descriptor but their
 * own, every capability (the supervisor keeps CAP_NET_BIND_SERVICE, for low ports that root forwards), files, signals to
 * others and abstract sockets (by Landlock, as far as the kernel has it), and system calls (by seccomp). A worker opens no
 * file and no unix socket; it has one end of a channel to the supervisor, which takes a fixed word from it and no descriptor
 * (channel.h). Their owner can still look into them, as `machine audit` does.
 *
 * A filter is inherited. The supervisor starts workers after its own filter is on, so its list has all that a worker needs and
 * all that setting one up takes. Any other call fails with EPERM. The worker, which reads what the guest wrote, is killed
 * instead.
 */
#pragma once

#include "lib/error.h"

/* Closes all descriptors from 3 on except those in `keep` (-1 is ignored). */
int harden_close_others(const int *keep, size_t count, struct error **err);

/* `socket_path`: the unix socket that workers make, and the supervisor removes; NULL = none. */
int harden_supervisor(const char *socket_path, struct error **err);
int harden_worker(struct error **err);
/* Returns what confines them on this kernel, in words for the log. */
const char *harden_walls(void);
