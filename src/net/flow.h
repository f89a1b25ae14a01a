/*
 * What the rules have let out: a connection, or the datagrams from one of the guest's ports to one destination. A connection's
 * flow is kept by its descriptor (conduit.h). Datagrams have no descriptor: their flows are in a table here, in which the flow
 * that was idle for longest makes room.
 */
#pragma once

#include "lib/egress-rule.h"
#include "net/packet.h"

#define FLOWS_MOST 4096

struct flow {
        struct target target;
        char name[EGRESS_NAME_MOST + 1]; /* the one that was looked up, or shown; "" = none */
        bool watched;                    /* it has to show its name: by TLS or HTTP */
        bool counted;                    /* it is in the account, at index `account` */
        size_t account;
        uint32_t reading; /* the reading of the rules that judged it last (egress.h) */
};

struct flow_datagrams {
        uint16_t source_port; /* 0 = unused */
        int64_t last;         /* by now_ms() */
        struct flow flow;
};

struct flows {
        struct flow_datagrams *items; /* FLOWS_MOST */
};

void flows_init(struct flows *flows);
void flows_clear(struct flows *flows);
/* Returns the flow of a datagram from the guest (`back`: to it), and marks it as used `now`. NULL = there is none. */
struct flow *flows_find(struct flows *flows, const struct packet *packet, bool back, int64_t now);
/* Keeps a new flow, in an unused place or in place of the one idle for longest. */
void flows_keep(struct flows *flows, const struct packet *packet, const struct flow *flow, int64_t now);
void flows_drop(struct flow *flow);
