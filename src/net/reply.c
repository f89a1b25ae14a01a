#include "net/reply.h"

#define TCP_SIZE  20
#define ICMP_SIZE 8
#define UDP_SIZE  8

#define ICMP_UNREACHABLE 3
#define ICMP_PROHIBITED  13

#define TTL           64
#define DONT_FRAGMENT 0x4000

/* As much of the packet as fits an answer of 576 bytes (RFC 1812, 4.3.2.3). */
#define QUOTE_MOST (REPLY_SIZE - PACKET_ETHERNET - PACKET_IPV4_SIZE - ICMP_SIZE)

static bool may_answer(const struct packet *packet)
{
        if ((packet->frame[0] & 1) != 0 || packet->later_fragment)
                return false;
        switch (packet->protocol) {
        case IPPROTO_TCP:
                return (packet->tcp_flags & PACKET_TCP_RST) == 0;
        case IPPROTO_ICMP:
                return packet->icmp_type == PACKET_ICMP_ECHO;
        default:
                return true;
        }
}

/* Writes the Ethernet and IPv4 headers before `length` bytes that are there already. Returns the length of the frame. */
static size_t put_headers(const struct packet *packet, uint8_t *out, struct in_addr source, uint8_t protocol, size_t length)
{
        uint8_t *ip = out + PACKET_ETHERNET;

        memcpy(out, packet->frame + 6, 6);
        memcpy(out + 6, packet->frame, 6);
        packet_put16(out + 12, PACKET_TYPE_IPV4);

        memset(ip, 0, PACKET_IPV4_SIZE);
        ip[0] = 4 << 4 | PACKET_IPV4_SIZE / 4;
        packet_put16(ip + 2, (uint16_t)(PACKET_IPV4_SIZE + length));
        packet_put16(ip + 6, DONT_FRAGMENT);
        ip[8] = TTL;
        ip[9] = protocol;
        packet_put32(ip + 12, ntohl(source.s_addr));
        packet_put32(ip + 16, ntohl(packet->source.s_addr));
        packet_put16(ip + 10, packet_checksum(ip, PACKET_IPV4_SIZE, 0));
        return PACKET_ETHERNET + PACKET_IPV4_SIZE + length;
}

static size_t put_reset(const struct packet *packet, uint8_t *out)
{
        const uint8_t *refused = packet->data;
        uint8_t *tcp = out + PACKET_ETHERNET + PACKET_IPV4_SIZE;

        memset(tcp, 0, TCP_SIZE);
        packet_put16(tcp, packet->destination_port);
        packet_put16(tcp + 2, packet->source_port);
        tcp[12] = TCP_SIZE / 4 << 4;
        if ((packet->tcp_flags & PACKET_TCP_ACK) != 0) {
                memcpy(tcp + 4, refused + 8, 4);
                tcp[13] = PACKET_TCP_RST;
        } else {
                uint32_t taken = (uint32_t)(packet->data_length - (size_t)(refused[12] >> 4) * 4);

                taken += (packet->tcp_flags & PACKET_TCP_SYN) != 0;
                taken += (packet->tcp_flags & PACKET_TCP_FIN) != 0;
                packet_put32(tcp + 8, packet_get32(refused + 4) + taken);
                tcp[13] = PACKET_TCP_RST | PACKET_TCP_ACK;
        }
        packet_put16(tcp + 16, packet_checksum(tcp, TCP_SIZE,
                                               packet_pseudo_sum(packet->destination, packet->source, IPPROTO_TCP, TCP_SIZE)));
        return put_headers(packet, out, packet->destination, IPPROTO_TCP, TCP_SIZE);
}

static size_t put_prohibited(const struct network *network, const struct packet *packet, uint8_t *out)
{
        size_t quote = packet->ip_length < QUOTE_MOST ? packet->ip_length : QUOTE_MOST;
        uint8_t *icmp = out + PACKET_ETHERNET + PACKET_IPV4_SIZE;

        memset(icmp, 0, ICMP_SIZE);
        icmp[0] = ICMP_UNREACHABLE;
        icmp[1] = ICMP_PROHIBITED;
        memcpy(icmp + ICMP_SIZE, packet->ip, quote);
        packet_put16(icmp + 2, packet_checksum(icmp, ICMP_SIZE + quote, 0));
        return put_headers(packet, out, (struct in_addr){ .s_addr = htonl(network->gateway) }, IPPROTO_ICMP, ICMP_SIZE + quote);
}

size_t reply_refusal(const struct network *network, const struct packet *packet, uint8_t out[static REPLY_SIZE])
{
        if (!may_answer(packet))
                return 0;
        /* A fragment of TCP has no checksum over all of it, so its numbers are nothing to answer by. */
        if (packet->protocol == IPPROTO_TCP && !packet->fragment)
                return put_reset(packet, out);
        return put_prohibited(network, packet, out);
}

size_t reply_datagram(const struct packet *packet, const uint8_t *data, size_t length, uint8_t out[static REPLY_SIZE])
{
        uint8_t *udp = out + PACKET_ETHERNET + PACKET_IPV4_SIZE;
        size_t size = UDP_SIZE + length;
        uint16_t sum;

        memset(udp, 0, UDP_SIZE);
        packet_put16(udp, packet->destination_port);
        packet_put16(udp + 2, packet->source_port);
        packet_put16(udp + 4, (uint16_t)size);
        memcpy(udp + UDP_SIZE, data, length);
        sum = packet_checksum(udp, size, packet_pseudo_sum(packet->destination, packet->source, IPPROTO_UDP, size));
        /* 0 would mean that there is no checksum (RFC 768). */
        packet_put16(udp + 6, sum == 0 ? UINT16_MAX : sum);
        return put_headers(packet, out, packet->destination, IPPROTO_UDP, size);
}
