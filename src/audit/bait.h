/*
 * Our own listeners on this computer's addresses, each on a port that the kernel chose: whoever connects to one got through.
 * They read nothing and answer nothing.
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
/* Listens on every address of this computer that can be listened on. Leaves out IPv6's link-local ones, which mean nothing
 * without a link. */
int baits_lay(struct baits *out, struct error **err);
uint16_t bait_port(const struct bait *bait);
/* Returns how many have connected since it was laid, or since the last call. Stops counting at 1000. */
unsigned bait_taken(const struct bait *bait);
void baits_clear(struct baits *baits);
