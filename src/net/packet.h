/*
 * Takes a frame from the guest apart. Nothing in it is trusted: a frame is PACKET_BAD when a part of it is not wholly inside,
 * or parts don't fit together. The fields of any other frame may be used as they are. Sources: IEEE 802.3 (frame), RFC 826
 * (ARP), RFC 791 (IPv4), RFC 9293 (TCP), RFC 768 (UDP), RFC 792 (ICMP).
 *
 *         struct packet packet;
 *         if (packet_parse(frame, length, &packet) == PACKET_IPV4 && packet.protocol == IPPROTO_UDP)
 *                 …
 */
#pragma once

#include <netinet/in.h>

#include "lib/guest-mtu.h"
#include "lib/util.h"

#define PACKET_ETHERNET  14        /* bytes of the Ethernet header */
#define PACKET_IPV4_SIZE 20        /* bytes of an IPv4 header without options */
#define PACKET_MTU       GUEST_MTU /* bytes of the longest IPv4 packet that a network of ours has (network.h) */

#define PACKET_TYPE_IPV4 0x0800
#define PACKET_TYPE_ARP  0x0806

#define PACKET_TCP_FIN 0x01
#define PACKET_TCP_SYN 0x02
#define PACKET_TCP_RST 0x04
#define PACKET_TCP_ACK 0x10
#define PACKET_TCP_URG 0x20

#define PACKET_ICMP_ECHO 8

enum packet_kind {
        PACKET_BAD,   /* too short, too long, or contradicts itself */
        PACKET_OTHER, /* neither ARP nor IPv4 */
        PACKET_ARP,   /* a request or reply for IPv4 on Ethernet */
        PACKET_IPV4,
};

struct packet {
        const uint8_t *frame; /* borrowed */
        size_t length;
        struct in_addr source, destination; /* of ARP: the sender's and the target's */

        /* IPv4 only. */
        const uint8_t *ip; /* its header, and what follows it up to ip_length */
        size_t ip_length;
        bool options;        /* the header has some */
        bool fragment;       /* a piece of a datagram; the fields below are then set for the first piece only, else 0 */
        bool later_fragment; /* not the first piece */
        uint8_t protocol;
        const uint8_t *data; /* after the IPv4 header */
        size_t data_length;
        uint16_t source_port, destination_port; /* TCP and UDP */
        uint8_t tcp_flags;
        uint8_t icmp_type;
};

/* Where a packet goes. */
struct target {
        uint8_t protocol;
        struct in_addr address;
        uint16_t port; /* of TCP and UDP, else 0 */
};

struct target packet_target(const struct packet *packet);
/* Would libslirp make a connection for this TCP packet? It does so only for a SYN without ACK; others need an existing one. */
bool packet_begins_tcp(const struct packet *packet);

enum packet_kind packet_parse(const uint8_t *frame, size_t length, struct packet *packet);

/* Numbers in the byte order of packets. */
uint16_t packet_get16(const uint8_t *at);
uint32_t packet_get32(const uint8_t *at);
void packet_put16(uint8_t *at, uint16_t value);
void packet_put32(uint8_t *at, uint32_t value);

/* Returns the Internet checksum (RFC 1071) of `length` bytes, starting from `sum` (0, or the sum of a pseudo header). */
uint16_t packet_checksum(const uint8_t *data, size_t length, uint32_t sum);
/* For packet_checksum(): the sum of the pseudo header of TCP and UDP. */
uint32_t packet_pseudo_sum(struct in_addr source, struct in_addr destination, uint8_t protocol, size_t length);
