/*
 * The input of both targets: a byte of INPUT_… settings, then frames. Each frame follows its length, 2 bytes, big endian. The
 * last one takes what is left.
 */
#pragma once

#include "net/packet.h"

#define INPUT_LAN   0x01
#define INPUT_FULL  0x02
#define INPUT_ROUTE 0x0c /* what the host says of a destination, as an enum policy_route */
#define INPUT_MEND  0x10 /* checksums are corrected first, because a fuzzer hardly guesses them */

/* Returns the next frame, a copy of exactly its length, owned by the caller. NULL at the end. */
static inline uint8_t *input_next(const uint8_t **data, size_t *size, size_t *length)
{
        uint8_t *frame;
        size_t wanted;

        if (*size < 2)
                return NULL;
        wanted = packet_get16(*data);
        *data += 2;
        *size -= 2;
        *length = wanted < *size ? wanted : *size;
        frame = xmalloc(*length ? *length : 1);
        if (*length > 0)
                memcpy(frame, *data, *length);
        *data += *length;
        *size -= *length;
        return frame;
}

/* Corrects the checksums of an IPv4 frame, as far as the frame can be parsed. */
static inline void input_mend(uint8_t *frame, size_t length)
{
        uint8_t *ip = frame + PACKET_ETHERNET;
        struct packet packet;
        size_t header;

        if (length < PACKET_ETHERNET + PACKET_IPV4_SIZE || packet_get16(frame + 12) != PACKET_TYPE_IPV4)
                return;
        header = (size_t)(ip[0] & 0xf) * 4;
        if (header < PACKET_IPV4_SIZE || header > length - PACKET_ETHERNET)
                return;
        packet_put16(ip + 10, 0);
        packet_put16(ip + 10, packet_checksum(ip, header, 0));
        if (packet_parse(frame, length, &packet) != PACKET_IPV4 || packet.fragment)
                return;
        if (packet.protocol == IPPROTO_TCP) {
                uint8_t *at = ip + header + 16;

                packet_put16(at, 0);
                packet_put16(at, packet_checksum(packet.data, packet.data_length,
                                                 packet_pseudo_sum(packet.source, packet.destination, IPPROTO_TCP,
                                                                   packet.data_length)));
        } else if (packet.protocol == IPPROTO_UDP) {
                packet_put16(ip + header + 6, 0); /* no checksum: RFC 768 allows it */
        } else if (packet.protocol == IPPROTO_ICMP) {
                packet_put16(ip + header + 2, 0);
                packet_put16(ip + header + 2, packet_checksum(packet.data, packet.data_length, 0));
        }
}
