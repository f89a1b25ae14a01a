/*
 * What moves on TCP connections, for whoever wants to know whether the VM is idle: in memory that the workers share with the
 * supervisor. Near connections come from this computer, through the ssh socket or a forwarded port. Far ones are those that
 * the guest opened.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct traffic {
        uint64_t near_bytes, far_bytes; /* in both directions together, since machine-net was started */
        uint32_t near_open, far_open;
        int64_t moved; /* by now_ms(): when bytes last passed; at first, when machine-net was started */
};

void traffic_moved(struct traffic *traffic, bool near, uint64_t bytes, int64_t now);
/* `change`: 1 for a connection that is made, -1 for one that ends. */
void traffic_opened(struct traffic *traffic, bool near, int change);
/* For the supervisor: what a worker is writing at the same time. */
struct traffic traffic_read(const struct traffic *traffic);
