/* What may leave, what is refused, and what is dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/policy.h"
#include "packets.h"

#define SYN PACKET_TCP_SYN
#define ACK PACKET_TCP_ACK
#define RST PACKET_TCP_RST
#define FIN PACKET_TCP_FIN

static const uint16_t ports[] = { 22, 8000 };

/* The host has 11.0.0.5 and 192.168.1.5. 11.0.0.255 is a broadcast address of its network. */
static enum policy_route find_route(struct in_addr destination, void *data)
{
        unsigned *asked = data;

        (*asked)++;
        if (destination.s_addr == test_address("11.0.0.5").s_addr || destination.s_addr == test_address("192.168.1.5").s_addr)
                return POLICY_ROUTE_HOST;
        return destination.s_addr == test_address("11.0.0.255").s_addr ? POLICY_ROUTE_BROADCAST : POLICY_ROUTE_OUT;
}

static unsigned asked;

static const struct policy plain = {
        .network = &network_default, .ports = ports, .port_count = ARRAY_SIZE(ports), .route = find_route, .route_data = &asked
};
static const struct policy lan = { .network = &network_default,
                                   .lan = true,
                                   .ports = ports,
                                   .port_count = ARRAY_SIZE(ports),
                                   .route = find_route,
                                   .route_data = &asked };
static const struct policy full = { .network = &network_default,
                                    .full = true,
                                    .ports = ports,
                                    .port_count = ARRAY_SIZE(ports),
                                    .route = find_route,
                                    .route_data = &asked };

static void assert_verdict(const struct policy *policy, const struct test_frame *frame, enum policy_action action,
                           const char *reason)
{
        struct policy_verdict verdict;

        policy_judge(policy, frame->bytes, frame->length, &verdict);
        assert_int_equal(verdict.action, action);
        if (reason)
                assert_string_equal(verdict.reason, reason);
        else
                assert_null(verdict.reason);
}

/* TCP, UDP and an echo request to the same address must get the same verdict. */
static void assert_destination(const struct policy *policy, const char *address, enum policy_action action, const char *reason)
{
        struct test_frame frame;

        test_tcp(&frame, address, 5000, 80, SYN);
        assert_verdict(policy, &frame, action, reason);
        test_tcp(&frame, address, 5000, 80, ACK);
        assert_verdict(policy, &frame, action, reason);
        test_udp(&frame, address, 5000, 80, 10);
        assert_verdict(policy, &frame, action, reason);
        test_echo(&frame, address);
        assert_verdict(policy, &frame, action, reason);
}

static void the_internet_is_allowed(void **state)
{
        assert_destination(&plain, TEST_FAR, POLICY_PASS, NULL);
        assert_destination(&lan, TEST_FAR, POLICY_PASS, NULL);
}

static void the_host_is_refused(void **state)
{
        static const struct policy *const both[] = { &plain, &lan };

        for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
                assert_destination(both[i], TEST_GATEWAY, POLICY_REFUSE, "host");
                assert_destination(both[i], "11.0.0.5", POLICY_REFUSE, "host");
                assert_destination(both[i], "192.168.1.5", POLICY_REFUSE, "host");
                assert_destination(both[i], "127.0.0.1", POLICY_REFUSE, "loopback");
                assert_destination(both[i], "127.255.255.254", POLICY_REFUSE, "loopback");
                assert_destination(both[i], "0.0.0.0", POLICY_REFUSE, "loopback");
        }
}

static void a_private_address_is_allowed_with_the_lan_alone(void **state)
{
        static const char *const addresses[] = { "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "10.0.3.2" };

        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
                assert_destination(&plain, addresses[i], POLICY_REFUSE, "private");
                assert_destination(&lan, addresses[i], POLICY_PASS, NULL);
        }
}

static void link_local_metadata_and_reserved_addresses_are_refused(void **state)
{
        static const struct policy *const both[] = { &plain, &lan };

        for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
                assert_destination(both[i], "169.254.169.254", POLICY_REFUSE, "metadata");
                assert_destination(both[i], "100.100.100.200", POLICY_REFUSE, "metadata");
                assert_destination(both[i], "169.254.1.1", POLICY_REFUSE, "link-local");
                assert_destination(both[i], "240.0.0.1", POLICY_REFUSE, "reserved");
                assert_destination(both[i], "192.0.0.1", POLICY_REFUSE, "reserved");
        }
}

static void the_network_is_the_one_that_was_chosen(void **state)
{
        static const struct {
                const char *address;
                enum policy_action action;
                const char *reason;
        } places[] = {
                { "192.168.5.2", POLICY_REFUSE, "host" },
                { "192.168.5.99", POLICY_REFUSE, "nobody" },
                { "10.0.2.2", POLICY_REFUSE, "private" },
                { TEST_FAR, POLICY_PASS, NULL },
        };
        struct policy other = plain;
        struct test_frame frame;

        other.network = network_find("192.168.5.0");
        assert_non_null(other.network);
        assert_null(network_find("192.168.6.0"));
        /* A guest with an address of the first network isn't on the second one. */
        test_tcp(&frame, TEST_FAR, 5000, 80, SYN);
        assert_verdict(&other, &frame, POLICY_DROP, "spoofed");
        /* The addresses of the second network are ordinary private ones for the first, and the other way round. */
        test_tcp(&frame, "192.168.5.2", 5000, 80, SYN);
        assert_verdict(&plain, &frame, POLICY_REFUSE, "private");
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                test_tcp_from(&frame, "192.168.5.15", places[i].address, 5000, 80, SYN);
                assert_verdict(&other, &frame, places[i].action, places[i].reason);
        }
}

static void groups_are_dropped_in_silence(void **state)
{
        assert_destination(&lan, "224.0.0.251", POLICY_DROP, NULL);
        assert_destination(&lan, "239.255.255.250", POLICY_DROP, NULL);
        assert_destination(&lan, "255.255.255.255", POLICY_DROP, NULL);
        assert_destination(&lan, "10.0.2.255", POLICY_DROP, NULL);
        assert_destination(&lan, "11.0.0.255", POLICY_DROP, NULL);
}

static void our_network_has_nobody_else(void **state)
{
        assert_destination(&lan, "10.0.2.1", POLICY_REFUSE, "nobody");
        assert_destination(&lan, TEST_GUEST, POLICY_REFUSE, "nobody");
        assert_destination(&lan, TEST_DNS, POLICY_REFUSE, "nobody");
}

static void routes_are_asked_for_only_where_they_decide(void **state)
{
        asked = 0;
        assert_destination(&lan, TEST_GATEWAY, POLICY_REFUSE, "host");
        assert_destination(&lan, "224.0.0.1", POLICY_DROP, NULL);
        assert_int_equal(asked, 0);
        assert_destination(&lan, TEST_FAR, POLICY_PASS, NULL);
        assert_int_equal(asked, 4);
}

static void dns_is_allowed_on_its_port(void **state)
{
        struct test_frame frame;

        test_udp(&frame, TEST_DNS, 5000, 53, 30);
        assert_verdict(&plain, &frame, POLICY_PASS, NULL);
        test_tcp(&frame, TEST_DNS, 5000, 53, SYN);
        assert_verdict(&plain, &frame, POLICY_PASS, NULL);
        test_udp(&frame, TEST_DNS, 53, 54, 30);
        assert_verdict(&plain, &frame, POLICY_REFUSE, "nobody");
        test_udp(&frame, TEST_GATEWAY, 5000, 53, 30);
        assert_verdict(&plain, &frame, POLICY_REFUSE, "host");
}

static void a_fragment_is_no_dns_and_no_dhcp(void **state)
{
        struct test_frame frame;

        test_udp(&frame, TEST_DNS, 5000, 53, 30);
        packet_put16(frame.bytes + PACKET_ETHERNET + 6, 0x2000);
        test_mend(&frame);
        assert_verdict(&plain, &frame, POLICY_REFUSE, "nobody");

        test_udp(&frame, "255.255.255.255", 68, 67, 300);
        packet_put16(frame.bytes + PACKET_ETHERNET + 6, 0x2000);
        test_mend(&frame);
        assert_verdict(&plain, &frame, POLICY_DROP, NULL);
}

static void a_fragment_to_anywhere_is_refused(void **state)
{
        static const uint16_t fields[] = { 0x2000, 0x2001, 0x0001 };
        struct test_frame frame;

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                test_udp(&frame, TEST_FAR, 5000, 80, 64);
                packet_put16(frame.bytes + PACKET_ETHERNET + 6, fields[i]);
                test_mend(&frame);
                assert_verdict(&plain, &frame, POLICY_REFUSE, "fragment");
        }
        test_tcp(&frame, TEST_GATEWAY, 22, 5000, ACK);
        packet_put16(frame.bytes + PACKET_ETHERNET + 6, 0x2000);
        test_mend(&frame);
        assert_verdict(&plain, &frame, POLICY_REFUSE, "host");
}

static void dhcp_is_allowed(void **state)
{
        struct test_frame frame;

        test_udp(&frame, "255.255.255.255", 68, 67, 300);
        assert_verdict(&plain, &frame, POLICY_PASS, NULL);
        test_udp(&frame, TEST_GATEWAY, 68, 67, 300);
        assert_verdict(&plain, &frame, POLICY_PASS, NULL);
        packet_put32(frame.bytes + PACKET_ETHERNET + 12, 0);
        test_mend(&frame);
        assert_verdict(&plain, &frame, POLICY_PASS, NULL);
        test_udp(&frame, "255.255.255.255", 69, 67, 300);
        assert_verdict(&plain, &frame, POLICY_DROP, NULL);
        test_udp(&frame, TEST_FAR, 68, 67, 300);
        packet_put32(frame.bytes + PACKET_ETHERNET + 12, 0);
        test_mend(&frame);
        assert_verdict(&plain, &frame, POLICY_DROP, "spoofed");
}

static void a_false_sender_is_dropped(void **state)
{
        static const char *const senders[] = { "10.0.2.16", TEST_GATEWAY, TEST_FAR, "0.0.0.0", "127.0.0.1" };
        struct test_frame frame;

        for (size_t i = 0; i < ARRAY_SIZE(senders); i++) {
                test_udp(&frame, TEST_FAR, 5000, 80, 4);
                packet_put32(frame.bytes + PACKET_ETHERNET + 12, ntohl(test_address(senders[i]).s_addr));
                test_mend(&frame);
                assert_verdict(&plain, &frame, POLICY_DROP, "spoofed");
        }
}

static void a_packet_with_options_is_dropped(void **state)
{
        struct test_frame frame;

        test_ipv4(&frame, TEST_GUEST, TEST_FAR, IPPROTO_UDP, 20);
        packet_put16(frame.bytes + PACKET_ETHERNET + 28, 8);
        frame.bytes[PACKET_ETHERNET] = 0x46;
        test_mend(&frame);
        assert_verdict(&plain, &frame, POLICY_DROP, "options");
}

static void only_what_goes_on_is_allowed_to_the_gateway_and_only_from_forwarded_ports(void **state)
{
        struct test_frame frame;

        for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
                test_tcp(&frame, TEST_GATEWAY, ports[i], 5000, SYN | ACK);
                assert_verdict(&plain, &frame, POLICY_PASS, NULL);
                test_tcp(&frame, TEST_GATEWAY, ports[i], 5000, ACK);
                assert_verdict(&plain, &frame, POLICY_PASS, NULL);
                test_tcp(&frame, TEST_GATEWAY, ports[i], 5000, RST);
                assert_verdict(&plain, &frame, POLICY_PASS, NULL);
                test_tcp(&frame, TEST_GATEWAY, ports[i], 5000, SYN);
                assert_verdict(&plain, &frame, POLICY_REFUSE, "host");
                test_tcp(&frame, TEST_GATEWAY, ports[i], 5000, SYN | FIN);
                assert_verdict(&plain, &frame, POLICY_REFUSE, "host");
                test_tcp(&frame, TEST_GATEWAY, ports[i], 5000, SYN | RST);
                assert_verdict(&plain, &frame, POLICY_REFUSE, "host");
                test_tcp(&frame, TEST_GATEWAY, ports[i], 5000, 0);
                assert_verdict(&plain, &frame, POLICY_REFUSE, "host");
        }
        test_tcp(&frame, TEST_GATEWAY, 23, 5000, ACK);
        assert_verdict(&plain, &frame, POLICY_REFUSE, "host");
        test_tcp(&frame, "11.0.0.5", 22, 5000, ACK);
        assert_verdict(&plain, &frame, POLICY_REFUSE, "host");
        test_udp(&frame, TEST_GATEWAY, 22, 5000, 4);
        assert_verdict(&plain, &frame, POLICY_REFUSE, "host");
}

static void of_icmp_only_echo_requests_leave(void **state)
{
        struct test_frame frame;

        for (unsigned type = 0; type < 256; type++) {
                test_echo(&frame, TEST_FAR);
                frame.bytes[PACKET_ETHERNET + PACKET_IPV4_SIZE] = (uint8_t)type;
                assert_verdict(&plain, &frame, type == PACKET_ICMP_ECHO ? POLICY_PASS : POLICY_DROP, NULL);
        }
        test_echo(&frame, TEST_GATEWAY);
        frame.bytes[PACKET_ETHERNET + PACKET_IPV4_SIZE] = 3;
        assert_verdict(&plain, &frame, POLICY_DROP, NULL);
}

static void other_protocols_are_refused(void **state)
{
        struct test_frame frame;

        for (unsigned protocol = 0; protocol < 256; protocol++) {
                if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP)
                        continue;
                test_ipv4(&frame, TEST_GUEST, TEST_FAR, (uint8_t)protocol, 20);
                assert_verdict(&plain, &frame, POLICY_REFUSE, "protocol");
        }
}

static void without_room_only_what_goes_on_is_allowed(void **state)
{
        struct test_frame frame;

        test_tcp(&frame, TEST_FAR, 5000, 80, SYN);
        assert_verdict(&full, &frame, POLICY_REFUSE, "full");
        test_tcp(&frame, TEST_FAR, 5000, 80, ACK);
        assert_verdict(&full, &frame, POLICY_PASS, NULL);
        test_udp(&frame, TEST_FAR, 5000, 80, 4);
        assert_verdict(&full, &frame, POLICY_REFUSE, "full");
        test_udp(&frame, TEST_DNS, 5000, 53, 4);
        assert_verdict(&full, &frame, POLICY_REFUSE, "full");
        test_echo(&frame, TEST_FAR);
        assert_verdict(&full, &frame, POLICY_REFUSE, "full");
        test_tcp(&frame, TEST_GATEWAY, 22, 5000, SYN | ACK);
        assert_verdict(&full, &frame, POLICY_PASS, NULL);
}

static void arp_is_for_our_network_and_for_the_guest_itself(void **state)
{
        struct test_frame frame;

        test_arp(&frame, 1, TEST_GUEST, TEST_GATEWAY);
        assert_verdict(&plain, &frame, POLICY_PASS, NULL);
        test_arp(&frame, 2, TEST_GUEST, TEST_GATEWAY);
        assert_verdict(&plain, &frame, POLICY_PASS, NULL);
        test_arp(&frame, 1, "0.0.0.0", TEST_GUEST);
        assert_verdict(&plain, &frame, POLICY_PASS, NULL);
        test_arp(&frame, 1, TEST_GATEWAY, TEST_GUEST);
        assert_verdict(&plain, &frame, POLICY_DROP, NULL);
        test_arp(&frame, 1, TEST_GUEST, "192.168.1.1");
        assert_verdict(&plain, &frame, POLICY_DROP, NULL);
}

static void what_is_neither_arp_nor_ipv4_is_dropped(void **state)
{
        struct test_frame frame;

        test_udp(&frame, TEST_FAR, 1, 2, 4);
        packet_put16(frame.bytes + 12, 0x86dd);
        assert_verdict(&plain, &frame, POLICY_DROP, NULL);
        frame.length = 0;
        assert_verdict(&plain, &frame, POLICY_DROP, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_internet_is_allowed),
                cmocka_unit_test(the_host_is_refused),
                cmocka_unit_test(a_private_address_is_allowed_with_the_lan_alone),
                cmocka_unit_test(link_local_metadata_and_reserved_addresses_are_refused),
                cmocka_unit_test(the_network_is_the_one_that_was_chosen),
                cmocka_unit_test(groups_are_dropped_in_silence),
                cmocka_unit_test(our_network_has_nobody_else),
                cmocka_unit_test(routes_are_asked_for_only_where_they_decide),
                cmocka_unit_test(dns_is_allowed_on_its_port),
                cmocka_unit_test(a_fragment_is_no_dns_and_no_dhcp),
                cmocka_unit_test(a_fragment_to_anywhere_is_refused),
                cmocka_unit_test(dhcp_is_allowed),
                cmocka_unit_test(a_false_sender_is_dropped),
                cmocka_unit_test(a_packet_with_options_is_dropped),
                cmocka_unit_test(only_what_goes_on_is_allowed_to_the_gateway_and_only_from_forwarded_ports),
                cmocka_unit_test(of_icmp_only_echo_requests_leave),
                cmocka_unit_test(other_protocols_are_refused),
                cmocka_unit_test(without_room_only_what_goes_on_is_allowed),
                cmocka_unit_test(arp_is_for_our_network_and_for_the_guest_itself),
                cmocka_unit_test(what_is_neither_arp_nor_ipv4_is_dropped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
