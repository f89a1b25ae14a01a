/*
 * Keeps QEMU's end of the wire and a worker on it: QEMU can't connect again, so whoever holds the descriptor must not die of
 * what a guest sends. It reads none of it. A worker that dies, or stands still, is replaced, ten times a minute at most.
 */
#pragma once

#include "worker.h"

/*
 * Returns in the supervisor when QEMU is gone or there is no going on, and in each worker when it ends: the exit status of
 * the process, or -1 with an error (not said yet on the ready_fd).
 */
int supervisor_run(struct net_settings *settings, struct error **err);
