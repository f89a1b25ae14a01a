/*
 * machine-net, the guest's only network (src/net; Linux): started before the guest, with the other end of QEMU's frame socket.
 * It ends by itself when that is closed.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

struct network_spec {
        int frames_fd;              /* borrowed */
        const char *log;            /* what was refused goes there; emptied first */
        const char *const *options; /* of machine-net, beside its descriptors and the log; NULL-ended */
};

/* Waits until all its sockets are bound. What it has to say when they can't be is in the error. The caller reaps `pid`. */
int network_start(const struct network_spec *spec, pid_t *pid, struct error **err);

/* Does its log say that a TCP connection to there was refused lately? 1 with the newest reason, in one word, owned by the
 * caller; 0; -1 when the log can't be read. */
int network_refused(const char *log, const char *address, uint16_t port, char **reason, struct error **err);
