/*
 * The guest's connections, by the frames that pass: each one's beginning was judged, and where it has to show a name first
 * (TLS, HTTP), what it sends is held until that name is there and allowed.
 *
 * What was looked at must be what arrives: data is taken in order alone, and bytes that were judged pass a second time only
 * when libslirp has confirmed them, for then it throws them away.
 */
#pragma once

#include "hello.h"
#include "http.h"
#include "packet.h"

#define FLOWS_MOST      8192
#define FLOW_RESET_SIZE (PACKET_ETHERNET + PACKET_IPV4_SIZE + 20)
#define FLOW_HELD_MOST  256 /* frames of one that are held */

enum flow_watch {
        FLOW_FREE, /* its content is nobody's business, or was shown to be in order */
        FLOW_TLS,
        FLOW_HTTP,
};

/* What is held, where something is. */
struct flow_held {
        uint8_t data[HELLO_MOST]; /* of the stream, behind what was settled */
        size_t length;
        struct {
                uint8_t *frame;
                size_t length;
        } frames[FLOW_HELD_MOST];
        size_t frame_count;
};

struct flow {
        bool used;
        uint8_t protocol;
        uint16_t source_port, destination_port;
        struct in_addr destination;
        int64_t last;     /* by now_ms() */
        uint32_t reading; /* of the rules, by which it was judged last (egress.h) */
        bool counted;     /* `account` is its place there */
        size_t account;
        char name[EGRESS_NAME_MOST + 1]; /* that the address was asked for by; "" = none */
        enum flow_watch watch;
        bool judged;        /* of one that is watched: the following count */
        uint32_t first;     /* sequence number of its SYN */
        uint32_t next;      /* sequence number behind what was taken */
        uint32_t confirmed; /* … and behind what libslirp has */
        struct http http;
        struct flow_held *held; /* NULL = nothing */
};

struct flows {
        struct flow *items; /* FLOWS_MOST */
};

void flows_init(struct flows *flows);
void flows_clear(struct flows *flows);
/* The flow of a packet from the guest (`back`: of one to it). NULL = there is none. */
struct flow *flows_find(struct flows *flows, const struct packet *packet, bool back);
/* The place of a new one: free, or with the flow that was idle for longest in it, which has to end first. */
struct flow *flows_place(struct flows *flows, const struct packet *packet);
void flow_begin(struct flow *flow, const struct packet *packet, int64_t now);
void flow_end(struct flow *flow);

enum flow_step {
        FLOW_PASS,    /* this frame, and it alone */
        FLOW_RELEASE, /* what is held; this frame is the last of that */
        FLOW_HOLD,    /* kept, or not wanted: it isn't passed on */
        FLOW_SHOWN,   /* a name was shown; where it is allowed, flow_go_on() says the rest */
        FLOW_REFUSE,  /* for *reason */
};

/* What becomes of a TCP packet of the guest's in a flow that is watched. FLOW_SHOWN: *name is what it asks for. */
enum flow_step flow_take(struct flow *flow, const struct packet *packet, char name[static EGRESS_NAME_MOST + 1],
                         const char **reason);
enum flow_step flow_go_on(struct flow *flow, char name[static EGRESS_NAME_MOST + 1], const char **reason);
/* libslirp's own packets tell what it has. */
void flow_confirm(struct flow *flow, const struct packet *packet);
/*
 * A reset in the guest's name, with which libslirp closes the connection, whatever it has of it: else a guest could begin a
 * flow anew for us alone, and what is judged then would be read in another place. Returns the frame's length.
 */
size_t flow_reset(const struct flow *flow, struct in_addr guest, uint8_t out[static FLOW_RESET_SIZE]);
