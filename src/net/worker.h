/*
 * The process that moves the guest's frames: every one from QEMU is judged (policy.h), then given to libslirp or answered
 * (reply.h); what libslirp has for the guest goes back. It may die of what the guest sends: the supervisor then starts the
 * next one, which goes on with the same stream behind the frame that was the last, on the positions kept in net_shared.
 * Connections don't outlive it.
 */
#pragma once

#include <sys/types.h>

#include "account.h"
#include "frames.h"
#include "lib/error.h"
#include "log.h"
#include "network.h"

struct net_forward {
        uint16_t host_port; /* on 127.0.0.1 */
        uint16_t guest_port;
};

struct net_settings {
        int frames_fd;
        int ready_fd;            /* a line goes here: "ok", or what failed */
        const char *socket_path; /* NULL = none */
        const struct network *network;
        struct net_forward *forwards; /* owned by main() */
        size_t forward_count;
        bool lan;
        int rules_fd;         /* rules.h; -1 = none, so that all is open */
        int account_fd;       /* account.h; -1 = none */
        const char *hostname; /* given by DHCP; NULL = none */
        struct log log;
};

/* Mapped by the supervisor, the same in every worker. All zero at first. */
struct net_shared {
        bool bound;      /* the unix socket is ours */
        bool ready;      /* a worker was set up: from now on a port that is taken is no failure of the whole */
        uint64_t rounds; /* of the worker's loop, at least one a second: whether it moves */
        struct frames from_guest, to_guest;
        struct account account;
};

enum worker_end {
        WORKER_GONE,        /* QEMU closed the stream */
        WORKER_FAILED,      /* could not be set up, or poll(2) failed: *err says why */
        WORKER_OUT_OF_STEP, /* what came was no frame */
};

/* Sets up, says "ok" on the ready_fd (the first time), and works until one of the ends above. Dies with `supervisor`. */
enum worker_end worker_run(struct net_settings *settings, struct net_shared *shared, pid_t supervisor, struct error **err);
