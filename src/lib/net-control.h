/*
 * What `machine` tells the machine-net of a VM that it parks, over a socket that `machine` made and machine-net listens on
 * (--control-fd). One request a connection. Linux only.
 *
 *         hold    from the answer on nothing moves: what QEMU had written has been taken, connections stay open, and no timer
 *                 of theirs runs. The guest must be stopped already. QEMU may then end. Holding twice is no mistake.
 *         go      goes on; with a descriptor, a stream to a new QEMU, over that. Without one, over the wire that was there,
 *                 which is no mistake either when nothing is held.
 *         look    answers, and does nothing.
 */
#pragma once

#include <stdint.h>

/* The socket is of the type SOCK_SEQPACKET, so each of these is one message. A word that is shorter ends in zeros. */
struct net_request {
        char word[8];
};

struct net_reply {
        uint32_t status; /* 0 = done, else an errno: EBADMSG, EINVAL (not a stream), EBUSY (not held), EPERM (another user) */
        uint32_t held;   /* 1 = the VM is parked */
        /* TCP connections: near ones come from this computer, far ones are those that the guest opened. */
        uint64_t near_bytes, far_bytes; /* in both directions together, since machine-net was started */
        uint32_t near_open, far_open;
        int64_t moved_ms; /* by now_ms(): when bytes last passed; machine-net's start when none ever did */
};
