/*
 * The process that moves the guest's frames. Each frame from QEMU is judged (policy.h), then given to libslirp or answered
 * (reply.h); what libslirp has for the guest goes back. A worker may die of what the guest sends. The supervisor then starts
 * the next one, which continues the same stream after the last frame, from the positions kept in net_shared. Connections don't
 * outlive a worker.
 *
 * While the VM is parked, its worker is held: it has taken what was on the wire, and from then on libslirp gets nothing and
 * gives nothing, its clock stands still (clock.h), and the end of the wire means nothing. Rules and account go on being served.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"
#include "net/account.h"
#include "net/frames.h"
#include "net/log.h"
#include "net/network.h"
#include "net/traffic.h"
#include "net/waker.h"

struct net_forward {
        uint16_t host_port; /* on 127.0.0.1 */
        uint16_t guest_port;
};

struct net_settings {
        int frames_fd;           /* replaced when a parked VM goes on with another QEMU */
        int control_fd;          /* control.h; -1 = none */
        int ready_fd;            /* a line goes here: "ok", or what failed */
        const char *socket_path; /* NULL = none */
        const struct network *network;
        struct net_forward *forwards; /* owned by main() */
        size_t forward_count;
        bool lan;
        size_t held_most;     /* conduit.h */
        int rules_fd;         /* rules.h; -1 = none, so that all is open */
        int account_fd;       /* account.h; -1 = none */
        bool goes_on;         /* the account goes on from what is in the file */
        const char *hostname; /* given by DHCP; NULL = none */
        struct waker waker;
        bool wake_on_any; /* bytes from outside wake a parked VM, too */
        struct log log;
};

/* Mapped by the supervisor, the same in every worker. All zero at first. */
struct net_shared {
        bool bound;              /* the unix socket is ours */
        bool ready;              /* a worker was set up: from now on a port that is taken is not fatal */
        uint64_t rounds;         /* of the worker's loop, at least one a second: shows whether it moves */
        struct in_addr resolver; /* the host's, kept up to date by the supervisor; 0.0.0.0 = none */
        struct frames from_guest, to_guest;
        struct account account;
        struct traffic traffic;
};

enum worker_end {
        WORKER_GONE,        /* QEMU closed the stream */
        WORKER_FAILED,      /* could not be set up, or poll(2) failed: *err says why */
        WORKER_OUT_OF_STEP, /* what came was not a frame */
};

/* What a worker gets from its supervisor, beside the settings. */
struct worker_start {
        pid_t supervisor; /* the worker ends with it */
        int channel;      /* its end (channel.h) */
        bool held;        /* the VM is parked: begin by holding still … */
        uint8_t number;   /* … in the hold of this number */
};

/* Sets up, says "ok" on the ready_fd (the first time), and works until one of the ends above. */
enum worker_end worker_run(struct net_settings *settings, struct net_shared *shared, const struct worker_start *start,
                           struct error **err);
