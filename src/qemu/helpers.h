/*
 * Starts the two processes beside a VM's QEMU: machine-net and machine-log. They are started before QEMU, and once more when
 * one of them has died under a running guest (mend.h). Each holds a lock while it lives: machine-net on net.log, machine-log on
 * console.log. The caller reaps `pid`.
 */
#pragma once

#include "qemu/runtime.h"

/* At the other ends of QEMU's pipes. Empties console.log and qemu.log. */
int helpers_start_log(const struct runtime *runtime, pid_t *pid, struct error **err);
enum network_kind {
        NETWORK_BEGINS,
        NETWORK_GOES_ON, /* it takes the place of one that ended, whose log and account are kept */
        NETWORK_SCRATCH, /* of a VM that is nobody's: it is never parked */
};

/*
 * At the other end of QEMU's frame socket, which `frames_fd` (borrowed) is connected to. When it returns, its sockets are bound
 * and it follows the rules of rules_write().
 */
int helpers_start_network(const struct vm *vm, const struct runtime *runtime, int frames_fd, enum network_kind kind, pid_t *pid,
                          struct error **err);
