/*
 * Listeners of ours on this computer's own addresses, each on a port that the kernel chose: whoever connects to one got
 * through. Nothing is read or answered.
 */
#pragma once

#include <netinet/in.h>

#include "lib/error.h"

struct bait {
        struct sockaddr_storage address; /* with its port */
        socklen_t length;
        int fd;
        char *text; /* the address without its port */
        bool loopback;
};

struct baits {
        struct bait *items;
        size_t count;
};

#define BAITS_INIT                                                                                                             \
        {                                                                                                                      \
                0                                                                                                              \
        }
/* On every address that this computer has and that can be listened on (link-local ones of IPv6 are left out: they mean nothing
 * without a link). */
int baits_lay(struct baits *out, struct error **err);
uint16_t bait_port(const struct bait *bait);
/* How many have connected since it was laid, or since the last call. */
unsigned bait_taken(const struct bait *bait);
void baits_clear(struct baits *baits);
