/* Parsing a guest's frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "packets.h"

#define IP (PACKET_ETHERNET)
#define L4 (PACKET_ETHERNET + PACKET_IPV4_SIZE)

static enum packet_kind kind_of(const struct test_frame *frame)
{
        /* A copy of the exact length, so that a sanitizer sees a read beyond its end. */
        _cleanup_(freep) uint8_t *exact = xmemdup(frame->bytes, frame->length ? frame->length : 1);
        struct packet packet;

        return packet_parse(exact, frame->length, &packet);
}

static void a_checksum_is_that_of_rfc_1071(void **state)
{
        static const uint8_t example[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

        assert_int_equal(packet_checksum(example, sizeof(example), 0), (uint16_t)~0xddf2);
        assert_int_equal(packet_checksum(example, 7, 0), (uint16_t) ~(0xddf2 - 0xf7));
        assert_int_equal(packet_checksum(NULL, 0, 0), 0xffff);
}

static void a_tcp_packet_is_read(void **state)
{
        struct test_frame frame;
        struct packet packet;

        test_tcp(&frame, TEST_FAR, 5000, 80, PACKET_TCP_SYN);
        packet = test_packet(&frame);
        assert_int_equal(packet.source.s_addr, test_address(TEST_GUEST).s_addr);
        assert_int_equal(packet.destination.s_addr, test_address(TEST_FAR).s_addr);
        assert_int_equal(packet.protocol, IPPROTO_TCP);
        assert_int_equal(packet.source_port, 5000);
        assert_int_equal(packet.destination_port, 80);
        assert_int_equal(packet.tcp_flags, PACKET_TCP_SYN);
        assert_int_equal(packet.data_length, 20);
        assert_false(packet.fragment || packet.options);
}

static void what_follows_the_packet_is_padding(void **state)
{
        struct test_frame frame;

        test_udp(&frame, TEST_FAR, 1, 2, 4);
        frame.length = 60;
        assert_int_equal(test_packet(&frame).ip_length, 32);
        assert_int_equal(test_packet(&frame).data_length, 12);
}

static void a_frame_that_is_cut_is_bad_at_every_length(void **state)
{
        struct test_frame frame;

        test_tcp(&frame, TEST_FAR, 5000, 80, PACKET_TCP_SYN);
        for (size_t length = frame.length; length-- > 0;) {
                frame.length = length;
                assert_int_equal(kind_of(&frame), PACKET_BAD);
        }
}

static void a_header_that_contradicts_itself_is_bad(void **state)
{
        static const struct {
                size_t at;
                uint8_t value;
        } changes[] = {
                { IP, 0x65 },      /* version 6 */
                { IP, 0x44 },      /* a header of 16 bytes */
                { IP, 0x4f },      /* a header longer than the packet */
                { IP + 3, 10 },    /* a total shorter than the header */
                { IP + 3, 200 },   /* a total longer than the frame */
                { L4 + 12, 0x40 }, /* a TCP header of 16 bytes */
                { L4 + 12, 0x60 }, /* a TCP header longer than the packet */
        };
        struct test_frame frame;

        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                test_tcp(&frame, TEST_FAR, 5000, 80, PACKET_TCP_SYN);
                frame.bytes[changes[i].at] = changes[i].value;
                test_mend(&frame);
                assert_int_equal(kind_of(&frame), PACKET_BAD);
        }
        test_udp(&frame, TEST_FAR, 1, 2, 4);
        frame.bytes[L4 + 5] = 7;
        assert_int_equal(kind_of(&frame), PACKET_BAD);
        frame.bytes[L4 + 5] = 13;
        assert_int_equal(kind_of(&frame), PACKET_BAD);
}

static void a_wrong_checksum_is_bad(void **state)
{
        struct test_frame frame;

        test_udp(&frame, TEST_FAR, 1, 2, 4);
        frame.bytes[IP + 8] ^= 1;
        assert_int_equal(kind_of(&frame), PACKET_BAD);
}

static void a_packet_longer_than_the_mtu_is_bad(void **state)
{
        struct test_frame frame;

        test_udp(&frame, TEST_FAR, 1, 2, PACKET_MTU - 28);
        assert_int_equal(kind_of(&frame), PACKET_IPV4);
        test_udp(&frame, TEST_FAR, 1, 2, PACKET_MTU - 27);
        assert_int_equal(kind_of(&frame), PACKET_BAD);
}

static void a_group_as_sender_is_bad(void **state)
{
        struct test_frame frame;

        test_udp(&frame, TEST_FAR, 1, 2, 4);
        frame.bytes[6] |= 1;
        assert_int_equal(kind_of(&frame), PACKET_BAD);
}

static void fragments_are_seen(void **state)
{
        struct test_frame frame;
        struct packet packet;

        test_udp(&frame, TEST_FAR, 5000, 53, 4);
        packet_put16(frame.bytes + IP + 6, 0x2000);
        test_mend(&frame);
        packet = test_packet(&frame);
        assert_true(packet.fragment && !packet.later_fragment);
        assert_int_equal(packet.destination_port, 53);

        /* The bytes where the ports would be are content. */
        packet_put16(frame.bytes + IP + 6, 0x0001);
        test_mend(&frame);
        packet = test_packet(&frame);
        assert_true(packet.fragment && packet.later_fragment);
        assert_int_equal(packet.destination_port, 0);

        packet_put16(frame.bytes + IP + 6, 0x4000);
        test_mend(&frame);
        assert_false(test_packet(&frame).fragment);
}

static void options_are_seen(void **state)
{
        struct test_frame frame;

        test_ipv4(&frame, TEST_GUEST, TEST_FAR, 99, 8);
        frame.bytes[IP] = 0x46;
        test_mend(&frame);
        assert_true(test_packet(&frame).options);
        assert_int_equal(test_packet(&frame).data_length, 4);
}

static void arp_is_for_ipv4_on_ethernet(void **state)
{
        static const size_t fields[] = { IP + 1, IP + 2, IP + 4, IP + 5, IP + 7 };
        struct test_frame frame;
        struct packet packet;

        test_arp(&frame, 1, TEST_GUEST, TEST_GATEWAY);
        assert_int_equal(packet_parse(frame.bytes, frame.length, &packet), PACKET_ARP);
        assert_int_equal(packet.source.s_addr, test_address(TEST_GUEST).s_addr);
        assert_int_equal(packet.destination.s_addr, test_address(TEST_GATEWAY).s_addr);
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                test_arp(&frame, 1, TEST_GUEST, TEST_GATEWAY);
                frame.bytes[fields[i]] += 7;
                assert_int_equal(kind_of(&frame), PACKET_BAD);
        }
        test_arp(&frame, 1, TEST_GUEST, TEST_GATEWAY);
        frame.length--;
        assert_int_equal(kind_of(&frame), PACKET_BAD);
}

static void other_types_are_other(void **state)
{
        static const uint16_t types[] = { 0x86dd, 0x8100, 0x88f8, 0, 60 };
        struct test_frame frame;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                test_udp(&frame, TEST_FAR, 1, 2, 4);
                packet_put16(frame.bytes + 12, types[i]);
                assert_int_equal(kind_of(&frame), PACKET_OTHER);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_checksum_is_that_of_rfc_1071),
                cmocka_unit_test(a_tcp_packet_is_read),
                cmocka_unit_test(what_follows_the_packet_is_padding),
                cmocka_unit_test(a_frame_that_is_cut_is_bad_at_every_length),
                cmocka_unit_test(a_header_that_contradicts_itself_is_bad),
                cmocka_unit_test(a_wrong_checksum_is_bad),
                cmocka_unit_test(a_packet_longer_than_the_mtu_is_bad),
                cmocka_unit_test(a_group_as_sender_is_bad),
                cmocka_unit_test(fragments_are_seen),
                cmocka_unit_test(options_are_seen),
                cmocka_unit_test(arp_is_for_ipv4_on_ethernet),
                cmocka_unit_test(other_types_are_other),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
