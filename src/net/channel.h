/*
 * How the supervisor tells its worker that the VM is parked and that it goes on. Each worker gets a pair of sockets of its
 * own. The supervisor sends one command at a time; the worker answers with the same words when it has obeyed. The supervisor
 * takes no descriptor from a worker, and believes an answer only as far as it matters to that worker.
 */
#pragma once

#include "lib/error.h"

enum channel_word {
        CHANNEL_HOLD = 1, /* hold still: take what is on the wire, then touch libslirp no more */
        CHANNEL_GO,       /* go on, over the wire that comes along if one does */
};

struct channel_message {
        uint32_t word;
        uint32_t number; /* of the hold; it is the byte that wakes the waker (waker.h) */
};

/* Makes both ends: the supervisor's and the worker's. */
int channel_make(int *supervisor, int *worker, struct error **err);
/* `wire`: -1 = none. Returns 0, or -1 with errno. */
int channel_send(int fd, const struct channel_message *message, int wire);
/*
 * Returns 1 with a message, 0 when there is none yet, -1 when the other end is closed or sent something else. With NULL for
 * `wire` no descriptor is taken; otherwise *wire is one, or -1.
 */
int channel_receive(int fd, struct channel_message *out, int *wire);
