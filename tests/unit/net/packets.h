/*
 * Frames as a guest would send them, for the tests of machine-net.
 */
#pragma once

#include "net/packet.h"

#define TEST_GUEST   "10.0.2.15"
#define TEST_GATEWAY "10.0.2.2"
#define TEST_DNS     "10.0.2.3"
#define TEST_FAR     "11.22.33.2"

struct test_frame {
        uint8_t bytes[PACKET_ETHERNET + PACKET_MTU + 64];
        size_t length;
};

struct in_addr test_address(const char *text);
/* An IPv4 frame of `protocol` with `length` bytes of content, all zero. */
void test_ipv4(struct test_frame *frame, const char *source, const char *destination, uint8_t protocol, size_t length);
void test_tcp(struct test_frame *frame, const char *destination, uint16_t source_port, uint16_t destination_port,
              uint8_t flags);
void test_tcp_from(struct test_frame *frame, const char *source, const char *destination, uint16_t source_port,
                   uint16_t destination_port, uint8_t flags);
void test_udp(struct test_frame *frame, const char *destination, uint16_t source_port, uint16_t destination_port,
              size_t length);
void test_echo(struct test_frame *frame, const char *destination);
void test_arp(struct test_frame *frame, uint16_t operation, const char *sender, const char *target);
/* Corrects the checksum after a change to the header. */
void test_mend(struct test_frame *frame);
/* Parses the frame. Fails the test if it isn't IPv4. */
struct packet test_packet(const struct test_frame *frame);
