/*
 * Holds the socket to QEMU and keeps a worker on it. QEMU can't connect again, so the process that holds the descriptor must
 * not die of what a guest sends: it reads none of it. A worker that dies or hangs is replaced, at most ten times a minute.
 *
 * When the VM is parked, QEMU ends and the guest's connections stay. The supervisor is told so by `machine` (control.h) and
 * tells its worker (channel.h) and the waker (waker.h). A worker that dies meanwhile is replaced by one that is held from the
 * start.
 */
#pragma once

#include "net/worker.h"

/*
 * Returns in the supervisor when QEMU has ended or the network can't go on, and in each worker when it ends. Returns the exit
 * status of the process, or -1 with an error that has not been written to the ready_fd yet.
 */
int supervisor_run(struct net_settings *settings, struct error **err);
