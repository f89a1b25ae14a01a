#include "net/packet.h"

#define ARP_SIZE  28
#define TCP_SIZE  20
#define UDP_SIZE  8
#define ICMP_SIZE 8

#define IPV4_MORE_FRAGMENTS  0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

uint16_t packet_get16(const uint8_t *at)
{
        return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t packet_get32(const uint8_t *at)
{
        return (uint32_t)packet_get16(at) << 16 | packet_get16(at + 2);
}

void packet_put16(uint8_t *at, uint16_t value)
{
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
}

void packet_put32(uint8_t *at, uint32_t value)
{
        packet_put16(at, (uint16_t)(value >> 16));
        packet_put16(at + 2, (uint16_t)value);
}

uint16_t packet_checksum(const uint8_t *data, size_t length, uint32_t sum)
{
        /* A packet has at most 65535 bytes, so that 32 bits hold the sum. */
        for (; length > 1; data += 2, length -= 2)
                sum += packet_get16(data);
        if (length > 0)
                sum += (uint32_t)data[0] << 8;
        while (sum >> 16 != 0)
                sum = (sum & 0xffff) + (sum >> 16);
        return (uint16_t)~sum;
}

uint32_t packet_pseudo_sum(struct in_addr source, struct in_addr destination, uint8_t protocol, size_t length)
{
        uint32_t from = ntohl(source.s_addr);
        uint32_t to = ntohl(destination.s_addr);

        return (from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff) + protocol + (uint32_t)length;
}

struct target packet_target(const struct packet *packet)
{
        return (struct target){
                .protocol = packet->protocol,
                .address = packet->destination,
                .port = packet->destination_port,
        };
}

bool packet_begins_tcp(const struct packet *packet)
{
        return (packet->tcp_flags & PACKET_TCP_SYN) != 0 && (packet->tcp_flags & PACKET_TCP_ACK) == 0;
}

static struct in_addr get_address(const uint8_t *at)
{
        return (struct in_addr){ .s_addr = htonl(packet_get32(at)) };
}

static enum packet_kind parse_arp(struct packet *packet)
{
        const uint8_t *arp = packet->frame + PACKET_ETHERNET;
        uint16_t operation;

        if (packet->length < PACKET_ETHERNET + ARP_SIZE)
                return PACKET_BAD;
        /* Must be Ethernet and IPv4, with addresses of 6 and 4 bytes: libslirp doesn't check. */
        if (packet_get16(arp) != 1 || packet_get16(arp + 2) != PACKET_TYPE_IPV4 || arp[4] != 6 || arp[5] != 4)
                return PACKET_BAD;
        operation = packet_get16(arp + 6);
        if (operation != 1 && operation != 2)
                return PACKET_BAD;
        packet->source = get_address(arp + 14);
        packet->destination = get_address(arp + 24);
        return PACKET_ARP;
}

static bool parse_transport(struct packet *packet)
{
        const uint8_t *data = packet->data;
        size_t header;

        switch (packet->protocol) {
        case IPPROTO_TCP:
                if (packet->data_length < TCP_SIZE)
                        return false;
                header = (size_t)(data[12] >> 4) * 4;
                if (header < TCP_SIZE || header > packet->data_length)
                        return false;
                packet->tcp_flags = data[13];
                break;
        case IPPROTO_UDP:
                if (packet->data_length < UDP_SIZE)
                        return false;
                /* A first fragment has the length of the whole datagram. */
                if (packet_get16(data + 4) < UDP_SIZE || (!packet->fragment && packet_get16(data + 4) > packet->data_length))
                        return false;
                /* Bytes after the datagram don't count. */
                if (!packet->fragment)
                        packet->data_length = packet_get16(data + 4);
                break;
        case IPPROTO_ICMP:
                if (packet->data_length < ICMP_SIZE)
                        return false;
                packet->icmp_type = data[0];
                return true;
        default:
                return true;
        }
        packet->source_port = packet_get16(data);
        packet->destination_port = packet_get16(data + 2);
        return true;
}

static enum packet_kind parse_ipv4(struct packet *packet)
{
        const uint8_t *ip = packet->frame + PACKET_ETHERNET;
        size_t room = packet->length - PACKET_ETHERNET;
        size_t header, total;
        uint16_t fragment;

        if (room < PACKET_IPV4_SIZE || ip[0] >> 4 != 4)
                return PACKET_BAD;
        header = (size_t)(ip[0] & 0xf) * 4;
        total = packet_get16(ip + 2);
        if (header < PACKET_IPV4_SIZE || total < header || total > room || total > PACKET_MTU)
                return PACKET_BAD;
        if (packet_checksum(ip, header, 0) != 0)
                return PACKET_BAD;

        fragment = packet_get16(ip + 6);
        packet->ip = ip;
        packet->ip_length = total;
        packet->options = header > PACKET_IPV4_SIZE;
        packet->later_fragment = (fragment & IPV4_FRAGMENT_OFFSET) != 0;
        packet->fragment = packet->later_fragment || (fragment & IPV4_MORE_FRAGMENTS) != 0;
        packet->protocol = ip[9];
        packet->source = get_address(ip + 12);
        packet->destination = get_address(ip + 16);
        packet->data = ip + header;
        packet->data_length = total - header;
        if (!packet->later_fragment && !parse_transport(packet))
                return PACKET_BAD;
        return PACKET_IPV4;
}

enum packet_kind packet_parse(const uint8_t *frame, size_t length, struct packet *packet)
{
        *packet = (struct packet){ .frame = frame, .length = length };
        if (length < PACKET_ETHERNET)
                return PACKET_BAD;
        /* A group address can't be a sender; an answer to it would go to everybody. */
        if ((frame[6] & 1) != 0)
                return PACKET_BAD;
        switch (packet_get16(frame + 12)) {
        case PACKET_TYPE_ARP:
                return parse_arp(packet);
        case PACKET_TYPE_IPV4:
                return parse_ipv4(packet);
        default:
                return PACKET_OTHER;
        }
}
