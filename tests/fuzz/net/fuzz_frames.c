/*
 * Any frame through policy and reply. This checks a second time, from the frame's bytes alone, that nothing passes that may not
 * leave, and that each answer is a complete packet to the guest in answer to that frame.
 */
#include "../fuzz.h"

#include "input.h"
#include "lib/address.h"
#include "net/policy.h"
#include "net/reply.h"

#define GUEST   UINT32_C(0x0a00020f)
#define GATEWAY UINT32_C(0x0a000202)
#define DNS     UINT32_C(0x0a000203)

static enum policy_route find_route(struct in_addr destination, void *data)
{
        return *(enum policy_route *)data;
}

static void check_passed_destination(const struct policy *policy, const uint8_t *ip, uint32_t destination)
{
        enum address_class class = address_classify4((struct in_addr){ .s_addr = htonl(destination) });
        const uint8_t *transport = ip + PACKET_IPV4_SIZE;

        if (destination == DNS) {
                CHECK((ip[9] == IPPROTO_UDP || ip[9] == IPPROTO_TCP) && packet_get16(transport + 2) == 53);
                return;
        }
        if (destination == GATEWAY) {
                /* DHCP, or the guest's side of a forwarded connection. */
                if (ip[9] == IPPROTO_UDP) {
                        CHECK(packet_get16(transport + 2) == 67);
                        return;
                }
                CHECK(ip[9] == IPPROTO_TCP && (packet_get16(transport) == 22 || packet_get16(transport) == 8000));
                CHECK((transport[13] & (PACKET_TCP_SYN | PACKET_TCP_ACK)) != PACKET_TCP_SYN);
                return;
        }
        if (destination == INADDR_BROADCAST) {
                CHECK(ip[9] == IPPROTO_UDP && packet_get16(transport + 2) == 67);
                return;
        }
        CHECK(destination >> 8 != GUEST >> 8);
        CHECK(class == ADDRESS_PUBLIC || class == ADDRESS_UNASSIGNED || (policy->lan && class == ADDRESS_PRIVATE));
        CHECK(find_route((struct in_addr){ 0 }, policy->route_data) == POLICY_ROUTE_OUT);
        CHECK(ip[9] == IPPROTO_TCP || ip[9] == IPPROTO_UDP || (ip[9] == IPPROTO_ICMP && transport[0] == 8));
        CHECK(!policy->full || (ip[9] == IPPROTO_TCP && (transport[13] & (PACKET_TCP_SYN | PACKET_TCP_ACK)) != PACKET_TCP_SYN));
}

static void check_passed(const struct policy *policy, const uint8_t *frame, size_t length)
{
        const uint8_t *ip = frame + PACKET_ETHERNET;
        uint32_t source;

        CHECK(length >= PACKET_ETHERNET);
        if (packet_get16(frame + 12) == PACKET_TYPE_ARP) {
                CHECK(length >= PACKET_ETHERNET + 28 && packet_get32(ip + 24) >> 8 == GUEST >> 8);
                CHECK(packet_get32(ip + 14) == GUEST || packet_get32(ip + 14) == 0);
                return;
        }
        CHECK(packet_get16(frame + 12) == PACKET_TYPE_IPV4);
        CHECK(length >= PACKET_ETHERNET + PACKET_IPV4_SIZE + 8);
        CHECK(ip[0] == 0x45 && packet_get16(ip + 2) <= length - PACKET_ETHERNET);
        CHECK((packet_get16(ip + 6) & 0x3fff) == 0);
        source = packet_get32(ip + 12);
        CHECK(source == GUEST || (source == 0 && ip[9] == IPPROTO_UDP && packet_get16(ip + PACKET_IPV4_SIZE + 2) == 67));
        check_passed_destination(policy, ip, packet_get32(ip + 16));
}

static void check_reply(const struct packet *refused, const uint8_t *reply, size_t length)
{
        struct packet packet;

        CHECK(packet_parse(reply, length, &packet) == PACKET_IPV4);
        CHECK(packet.ip_length == length - PACKET_ETHERNET && !packet.options && !packet.fragment);
        CHECK(packet.destination.s_addr == refused->source.s_addr);
        CHECK(memcmp(reply, refused->frame + 6, 6) == 0);
        if (packet.protocol == IPPROTO_TCP) {
                CHECK((packet.tcp_flags & PACKET_TCP_RST) != 0 && packet.source.s_addr == refused->destination.s_addr);
                CHECK(packet.source_port == refused->destination_port && packet.destination_port == refused->source_port);
                CHECK(packet_checksum(packet.data, packet.data_length,
                                      packet_pseudo_sum(packet.source, packet.destination, IPPROTO_TCP, packet.data_length)) ==
                      0);
        } else {
                CHECK(packet.protocol == IPPROTO_ICMP && packet.data[0] == 3 && packet.data[1] == 13);
                CHECK(packet_checksum(packet.data, packet.data_length, 0) == 0);
                CHECK(memcmp(packet.data + 8, refused->ip, PACKET_IPV4_SIZE) == 0);
        }
}

static void run(const struct policy *policy, const uint8_t *frame, size_t length)
{
        struct policy_verdict verdict;
        uint8_t reply[REPLY_SIZE];
        size_t reply_length;

        policy_judge(policy, frame, length, &verdict);
        if (verdict.action == POLICY_PASS)
                check_passed(policy, frame, length);
        if (verdict.action != POLICY_REFUSE)
                return;
        CHECK(verdict.reason != NULL);
        reply_length = reply_refusal(&network_default, &verdict.packet, reply);
        if (reply_length > 0)
                check_reply(&verdict.packet, reply, reply_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint16_t ports[] = { 22, 8000 };
        enum policy_route route;
        uint8_t *frame;
        size_t length;

        if (size == 0)
                return 0;
        route = (enum policy_route)((data[0] & INPUT_ROUTE) >> 2);
        if (route > POLICY_ROUTE_BROADCAST)
                route = POLICY_ROUTE_OUT;

        const struct policy policy = {
                .network = &network_default,
                .lan = (data[0] & INPUT_LAN) != 0,
                .full = (data[0] & INPUT_FULL) != 0,
                .ports = ports,
                .port_count = ARRAY_SIZE(ports),
                .route = find_route,
                .route_data = &route,
        };
        bool mend = (data[0] & INPUT_MEND) != 0;

        data++;
        size--;
        while ((frame = input_next(&data, &size, &length))) {
                if (mend)
                        input_mend(frame, length);
                run(&policy, frame, length);
                free(frame);
        }
        return 0;
}
