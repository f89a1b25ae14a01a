/*
 * Decides whether a frame of the guest's may leave. A pure function of the frame, the settings and what the host's routing
 * says about the destination. Every frame is judged, not only the first of a connection, so that an address that becomes the
 * host's own later is refused from then on.
 *
 * Refused, and answered at once (reply.h), are:
 * - the gateway, which libslirp would take for the host's loopback, and every other address of our own small network;
 * - loopback, and each address of any kind that the host itself has;
 * - private addresses, unless `lan` or a rule of the project's opens them; link-local, metadata and reserved ones;
 * - fragments, protocols that libslirp doesn't carry, and TCP's urgent data.
 *
 * Dropped without an answer: what is malformed, spoofed, has IP options, goes to a group or broadcast address, is neither ARP
 * nor IPv4, or is an ICMP message other than an echo request.
 *
 * Always allowed: DHCP, DNS by UDP and TCP to the network's .3, ARP on our network, and what continues a connection that was
 * forwarded to the guest.
 *
 * Fragments are refused altogether. The only loss is datagrams from the guest of more than 1472 bytes (TCP has none). In
 * return libslirp's reassembly, which has been broken into more than once, is out of the guest's reach.
 */
#pragma once

#include "net/network.h"
#include "net/packet.h"

enum policy_route {
        POLICY_ROUTE_OUT,       /* leaves the host, or there is no route */
        POLICY_ROUTE_HOST,      /* the host delivers it to itself */
        POLICY_ROUTE_BROADCAST, /* to everybody on a network of the host's */
};

struct policy {
        const struct network *network;
        bool lan;              /* private addresses are allowed */
        bool full;             /* no room for one more connection: packets that would begin one are refused */
        const uint16_t *ports; /* the guest's, to which we forward */
        size_t port_count;
        /* Returns what the host's routing says, or POLICY_ROUTE_HOST when it can't find out. */
        enum policy_route (*route)(struct in_addr destination, void *data);
        void *route_data;
        /* Do the project's rules open a private address? NULL = they don't. */
        bool (*opens)(const struct packet *packet, void *data);
        void *opens_data;
};

enum policy_action { POLICY_PASS, POLICY_DROP, POLICY_REFUSE };

struct policy_verdict {
        enum policy_action action;
        const char *reason;   /* in one word, for the log; NULL = not worth a line. Static. */
        struct packet packet; /* of `frame`, which it borrows */
};

void policy_judge(const struct policy *policy, const uint8_t *frame, size_t length, struct policy_verdict *verdict);
