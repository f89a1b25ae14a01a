#include "packets.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t gateway_mac[] = { 0x52, 0x55, 0x0a, 0, 2, 2 };
static const uint8_t guest_mac[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

struct in_addr test_address(const char *text)
{
        struct in_addr address;

        assert_int_equal(inet_pton(AF_INET, text, &address), 1);
        return address;
}

static uint8_t *put_ethernet(struct test_frame *frame, uint16_t type)
{
        memset(frame, 0, sizeof(*frame));
        memcpy(frame->bytes, gateway_mac, 6);
        memcpy(frame->bytes + 6, guest_mac, 6);
        packet_put16(frame->bytes + 12, type);
        return frame->bytes + PACKET_ETHERNET;
}

void test_mend(struct test_frame *frame)
{
        uint8_t *ip = frame->bytes + PACKET_ETHERNET;

        packet_put16(ip + 10, 0);
        packet_put16(ip + 10, packet_checksum(ip, (size_t)(ip[0] & 0xf) * 4, 0));
}

void test_ipv4(struct test_frame *frame, const char *source, const char *destination, uint8_t protocol, size_t length)
{
        uint8_t *ip = put_ethernet(frame, PACKET_TYPE_IPV4);

        ip[0] = 0x45;
        packet_put16(ip + 2, (uint16_t)(PACKET_IPV4_SIZE + length));
        ip[8] = 64;
        ip[9] = protocol;
        packet_put32(ip + 12, ntohl(test_address(source).s_addr));
        packet_put32(ip + 16, ntohl(test_address(destination).s_addr));
        frame->length = PACKET_ETHERNET + PACKET_IPV4_SIZE + length;
        test_mend(frame);
}

void test_tcp_from(struct test_frame *frame, const char *source, const char *destination, uint16_t source_port,
                   uint16_t destination_port, uint8_t flags)
{
        uint8_t *tcp = frame->bytes + PACKET_ETHERNET + PACKET_IPV4_SIZE;

        test_ipv4(frame, source, destination, IPPROTO_TCP, 20);
        packet_put16(tcp, source_port);
        packet_put16(tcp + 2, destination_port);
        packet_put32(tcp + 4, 1000);
        packet_put32(tcp + 8, 2000);
        tcp[12] = 5 << 4;
        tcp[13] = flags;
}

void test_tcp(struct test_frame *frame, const char *destination, uint16_t source_port, uint16_t destination_port, uint8_t flags)
{
        test_tcp_from(frame, TEST_GUEST, destination, source_port, destination_port, flags);
}

void test_udp(struct test_frame *frame, const char *destination, uint16_t source_port, uint16_t destination_port, size_t length)
{
        uint8_t *udp = frame->bytes + PACKET_ETHERNET + PACKET_IPV4_SIZE;

        test_ipv4(frame, TEST_GUEST, destination, IPPROTO_UDP, 8 + length);
        packet_put16(udp, source_port);
        packet_put16(udp + 2, destination_port);
        packet_put16(udp + 4, (uint16_t)(8 + length));
}

void test_echo(struct test_frame *frame, const char *destination)
{
        test_ipv4(frame, TEST_GUEST, destination, IPPROTO_ICMP, 12);
        frame->bytes[PACKET_ETHERNET + PACKET_IPV4_SIZE] = PACKET_ICMP_ECHO;
}

void test_arp(struct test_frame *frame, uint16_t operation, const char *sender, const char *target)
{
        uint8_t *arp = put_ethernet(frame, PACKET_TYPE_ARP);

        packet_put16(arp, 1);
        packet_put16(arp + 2, PACKET_TYPE_IPV4);
        arp[4] = 6;
        arp[5] = 4;
        packet_put16(arp + 6, operation);
        memcpy(arp + 8, guest_mac, 6);
        packet_put32(arp + 14, ntohl(test_address(sender).s_addr));
        packet_put32(arp + 24, ntohl(test_address(target).s_addr));
        frame->length = PACKET_ETHERNET + 28;
}

struct packet test_packet(const struct test_frame *frame)
{
        struct packet packet;

        assert_int_equal(packet_parse(frame->bytes, frame->length, &packet), PACKET_IPV4);
        return packet;
}
