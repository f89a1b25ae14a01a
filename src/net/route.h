/*
 * Finds out whether an address is the host's own, by asking the host's kernel with RTM_GETROUTE (rtnetlink(7)). The kernel
 * knows every address of every interface, addresses that are routed to the host without being on an interface, and addresses
 * that came a moment ago. Answers are kept for a second.
 */
#pragma once

#include "lib/error.h"
#include "net/policy.h"

#define ROUTE_KEPT 256

struct route_answer {
        struct in_addr destination;
        enum policy_route route;
        int64_t until; /* by now_ms(); 0 = unused */
};

struct route {
        int fd;
        uint32_t sequence;
        struct route_answer kept[ROUTE_KEPT];
};

#define ROUTE_INIT                                                                                                             \
        {                                                                                                                      \
                .fd = -1                                                                                                       \
        }

int route_open(struct route *route, struct error **err);
void route_close(struct route *route);
/* Returns POLICY_ROUTE_HOST when the kernel doesn't answer at once. */
enum policy_route route_find(struct route *route, struct in_addr destination);
