/*
 * Starts machine-net, the guest's only network (src/net; Linux). It is started before the guest, with the other end of QEMU's
 * frame socket, and ends by itself when that socket is closed.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

struct network_spec {
        int frames_fd;     /* borrowed */
        int control_fd;    /* where machine-net listens for us (lib/net-control.h); borrowed; 0 = nowhere */
        const char *wakes; /* the VM of that name: what reaches for it wakes it when it is parked; NULL = nothing does */
        const char *log;   /* where machine-net writes what it refused; it holds an exclusive lock on it (lib/lock.h) */
        bool goes_on;      /* it takes the place of one that ended: log and account are kept, otherwise they are emptied */
        const char *const *options; /* of machine-net, besides its descriptors and the log; NULL-ended */
};

/* Starts it and waits until all its sockets are bound. When they can't be, or when another one has the same log, the error has
 * the reason. The caller reaps `pid`. */
int network_start(const struct network_spec *spec, pid_t *pid, struct error **err);

/* Finds out from its log whether a TCP connection to this address and port was refused lately. Returns 1 with the newest
 * reason, in one word, owned by the caller; 0 when not; -1 when the log can't be read. */
int network_refused(const char *log, const char *address, uint16_t port, char **reason, struct error **err);
