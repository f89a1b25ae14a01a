/* What a refused guest is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/reply.h"
#include "packets.h"

#define SYN PACKET_TCP_SYN
#define ACK PACKET_TCP_ACK
#define RST PACKET_TCP_RST
#define FIN PACKET_TCP_FIN

#define L4 (PACKET_ETHERNET + PACKET_IPV4_SIZE)

/* Writes the answer to `frame` into `reply`. Returns it as a packet. */
static struct packet answer(const struct test_frame *frame, struct test_frame *reply)
{
        struct packet packet = test_packet(frame);
        uint8_t bytes[REPLY_SIZE];
        size_t length = reply_refusal(&network_default, &packet, bytes);

        assert_true(length > 0);
        memcpy(reply->bytes, bytes, length);
        reply->length = length;
        assert_memory_equal(bytes, frame->bytes + 6, 6);
        assert_memory_equal(bytes + 6, frame->bytes, 6);
        packet = test_packet(reply);
        assert_int_equal(packet.ip_length, length - PACKET_ETHERNET);
        assert_int_equal(packet.destination.s_addr, test_address(TEST_GUEST).s_addr);
        return packet;
}

static void assert_silence(const struct test_frame *frame)
{
        struct packet packet = test_packet(frame);
        uint8_t bytes[REPLY_SIZE];

        assert_int_equal(reply_refusal(&network_default, &packet, bytes), 0);
}

static void assert_reset(const struct test_frame *frame, uint8_t flags, uint32_t sequence, uint32_t acknowledgement)
{
        struct test_frame reply;
        struct packet packet = answer(frame, &reply);

        assert_int_equal(packet.protocol, IPPROTO_TCP);
        assert_int_equal(packet.source.s_addr, test_address("192.168.1.1").s_addr);
        assert_int_equal(packet.source_port, 80);
        assert_int_equal(packet.destination_port, 5000);
        assert_int_equal(packet.tcp_flags, flags);
        assert_int_equal(packet_get32(packet.data + 4), sequence);
        assert_int_equal(packet_get32(packet.data + 8), acknowledgement);
        assert_int_equal(packet_checksum(packet.data, packet.data_length,
                                         packet_pseudo_sum(packet.source, packet.destination, IPPROTO_TCP, packet.data_length)),
                         0);
}

static void a_syn_is_reset_and_counted(void **state)
{
        struct test_frame frame;

        test_tcp(&frame, "192.168.1.1", 5000, 80, SYN);
        assert_reset(&frame, RST | ACK, 0, 1001);
}

static void what_has_an_ack_is_reset_where_it_stands(void **state)
{
        struct test_frame frame;

        test_tcp(&frame, "192.168.1.1", 5000, 80, ACK);
        assert_reset(&frame, RST, 2000, 0);
        test_tcp(&frame, "192.168.1.1", 5000, 80, SYN | ACK);
        assert_reset(&frame, RST, 2000, 0);
}

static void content_and_fin_are_counted(void **state)
{
        struct test_frame frame;

        test_ipv4(&frame, TEST_GUEST, "192.168.1.1", IPPROTO_TCP, 24 + 100);
        packet_put16(frame.bytes + L4, 5000);
        packet_put16(frame.bytes + L4 + 2, 80);
        packet_put32(frame.bytes + L4 + 4, 0xffffffff);
        frame.bytes[L4 + 12] = 6 << 4;
        frame.bytes[L4 + 13] = FIN;
        assert_reset(&frame, RST | ACK, 0, 100);
}

static void a_reset_is_not_answered(void **state)
{
        struct test_frame frame;

        test_tcp(&frame, "192.168.1.1", 5000, 80, RST);
        assert_silence(&frame);
        test_tcp(&frame, "192.168.1.1", 5000, 80, RST | ACK);
        assert_silence(&frame);
}

static void a_datagram_is_prohibited_by_the_gateway(void **state)
{
        struct test_frame frame, reply;
        struct packet packet;

        test_udp(&frame, "192.168.1.1", 5000, 80, 30);
        packet = answer(&frame, &reply);
        assert_int_equal(packet.protocol, IPPROTO_ICMP);
        assert_int_equal(packet.source.s_addr, test_address(TEST_GATEWAY).s_addr);
        assert_int_equal(packet.data[0], 3);
        assert_int_equal(packet.data[1], 13);
        assert_int_equal(packet_checksum(packet.data, packet.data_length, 0), 0);
        assert_int_equal(packet.data_length, 8 + 58);
        assert_memory_equal(packet.data + 8, frame.bytes + PACKET_ETHERNET, 58);
}

static void the_quote_of_a_long_datagram_is_cut(void **state)
{
        struct test_frame frame, reply;

        test_udp(&frame, "192.168.1.1", 5000, 80, 1400);
        assert_int_equal(answer(&frame, &reply).ip_length, 576);
        assert_int_equal(reply.length, REPLY_SIZE);
}

static void an_echo_is_prohibited_and_other_icmp_gets_nothing(void **state)
{
        struct test_frame frame, reply;

        test_echo(&frame, "192.168.1.1");
        assert_int_equal(answer(&frame, &reply).protocol, IPPROTO_ICMP);
        frame.bytes[L4] = 3;
        assert_silence(&frame);
        frame.bytes[L4] = 0;
        assert_silence(&frame);
}

static void only_the_first_fragment_is_answered(void **state)
{
        struct test_frame frame, reply;

        test_tcp(&frame, "192.168.1.1", 5000, 80, SYN);
        packet_put16(frame.bytes + PACKET_ETHERNET + 6, 0x2000);
        test_mend(&frame);
        assert_int_equal(answer(&frame, &reply).protocol, IPPROTO_ICMP);
        packet_put16(frame.bytes + PACKET_ETHERNET + 6, 0x0005);
        test_mend(&frame);
        assert_silence(&frame);
}

static void what_was_sent_to_everybody_is_not_answered(void **state)
{
        struct test_frame frame;

        test_udp(&frame, "192.168.1.1", 5000, 80, 4);
        memset(frame.bytes, 0xff, 6);
        assert_silence(&frame);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_syn_is_reset_and_counted),
                cmocka_unit_test(what_has_an_ack_is_reset_where_it_stands),
                cmocka_unit_test(content_and_fin_are_counted),
                cmocka_unit_test(a_reset_is_not_answered),
                cmocka_unit_test(a_datagram_is_prohibited_by_the_gateway),
                cmocka_unit_test(the_quote_of_a_long_datagram_is_cut),
                cmocka_unit_test(an_echo_is_prohibited_and_other_icmp_gets_nothing),
                cmocka_unit_test(only_the_first_fragment_is_answered),
                cmocka_unit_test(what_was_sent_to_everybody_is_not_answered),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
