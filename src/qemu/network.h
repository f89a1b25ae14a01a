/*
 * machine-net, the guest's only network: started before QEMU, with the other end of QEMU's frame socket. It ends by itself
 * when that is closed.
 */
#pragma once

#include "qemu/runtime.h"

/*
 * Starts it with `frames_fd` (borrowed) and waits until all its sockets are bound. A host port that is in use is ERROR_ENGINE
 * naming who uses it. The caller reaps `pid`.
 */
int network_start(const struct vm *vm, const struct runtime *runtime, int frames_fd, pid_t *pid, struct error **err);
