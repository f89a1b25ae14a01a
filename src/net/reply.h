/*
 * Answers a frame that is refused, so that a program in the guest fails at once instead of waiting: with a reset for TCP (RFC
 * 9293, 3.5.2), otherwise with ICMP "communication administratively prohibited" (RFC 1812, 5.2.7.1) from the gateway.
 */
#pragma once

#include "net/network.h"
#include "net/packet.h"

#define REPLY_SIZE (PACKET_ETHERNET + 576) /* the longest answer */

/*
 * Writes the frame that answers `packet` (PACKET_IPV4, judged POLICY_REFUSE) to `out`. Returns its length, or 0 when no answer
 * may be given: to a reset, to an ICMP message other than an echo request, to a fragment other than the first, to what was
 * sent to or from a group.
 */
size_t reply_refusal(const struct network *network, const struct packet *packet, uint8_t out[static REPLY_SIZE]);

#define REPLY_DATAGRAM_MOST (REPLY_SIZE - PACKET_ETHERNET - PACKET_IPV4_SIZE - 8) /* bytes */

/* Writes the frame that answers a datagram (UDP) in the name of its destination. Returns its length. */
size_t reply_datagram(const struct packet *packet, const uint8_t *data, size_t length, uint8_t out[static REPLY_SIZE]);
