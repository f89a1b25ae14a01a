#include "net/policy.h"

#include "lib/address.h"

static bool on_network(const struct network *network, uint32_t address)
{
        return (address & NETWORK_MASK) == network->address;
}

static enum policy_action say(struct policy_verdict *verdict, enum policy_action action, const char *reason)
{
        verdict->reason = reason;
        return action;
}

/* The guest may ask and answer for its own address, and ask whether anybody else has it (RFC 5227: sender 0.0.0.0). */
static enum policy_action judge_arp(const struct network *network, const struct packet *packet)
{
        uint32_t source = ntohl(packet->source.s_addr);

        if (source != network->guest && source != INADDR_ANY)
                return POLICY_DROP;
        return on_network(network, ntohl(packet->destination.s_addr)) ? POLICY_PASS : POLICY_DROP;
}

static bool is_dhcp(const struct network *network, const struct packet *packet)
{
        uint32_t destination = ntohl(packet->destination.s_addr);

        return packet->protocol == IPPROTO_UDP && !packet->fragment && packet->source_port == NETWORK_PORT_DHCP_CLIENT &&
               packet->destination_port == NETWORK_PORT_DHCP_SERVER &&
               (destination == INADDR_BROADCAST || destination == network->gateway);
}

static bool is_dns(const struct network *network, const struct packet *packet)
{
        return (packet->protocol == IPPROTO_UDP || packet->protocol == IPPROTO_TCP) && !packet->fragment &&
               packet->destination_port == NETWORK_PORT_DNS && ntohl(packet->destination.s_addr) == network->dns;
}

/*
 * Does the packet answer a connection that came in through one of our forwards? Those come from the gateway's address. No
 * other connection with that address can exist, because nothing that would begin one gets through.
 */
static bool answers_forward(const struct policy *policy, const struct packet *packet)
{
        if (packet->protocol != IPPROTO_TCP || packet->fragment || packet_begins_tcp(packet))
                return false;
        if ((packet->tcp_flags & (PACKET_TCP_ACK | PACKET_TCP_RST)) == 0)
                return false;
        for (size_t i = 0; i < policy->port_count; i++)
                if (policy->ports[i] == packet->source_port)
                        return true;
        return false;
}

/* Judges a packet to an allowed destination. */
static enum policy_action judge_content(const struct policy *policy, struct policy_verdict *verdict)
{
        const struct packet *packet = &verdict->packet;

        if (packet->fragment)
                return say(verdict, POLICY_REFUSE, "fragment");
        if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP && packet->protocol != IPPROTO_ICMP)
                return say(verdict, POLICY_REFUSE, "protocol");
        if (policy->full && (packet->protocol != IPPROTO_TCP || packet_begins_tcp(packet)))
                return say(verdict, POLICY_REFUSE, "full");
        return POLICY_PASS;
}

static enum policy_action judge_own_network(const struct policy *policy, struct policy_verdict *verdict)
{
        const struct packet *packet = &verdict->packet;
        uint32_t destination = ntohl(packet->destination.s_addr);

        if (destination == policy->network->broadcast)
                return POLICY_DROP;
        if (is_dns(policy->network, packet))
                return judge_content(policy, verdict);
        if (destination != policy->network->gateway)
                return say(verdict, POLICY_REFUSE, "nobody");
        if (answers_forward(policy, packet))
                return POLICY_PASS;
        return say(verdict, POLICY_REFUSE, "host");
}

/* Addresses outside of our network. */
static enum policy_action judge_destination(const struct policy *policy, struct policy_verdict *verdict)
{
        const struct packet *packet = &verdict->packet;
        enum address_class class = address_classify4(packet->destination);

        if (class == ADDRESS_MULTICAST)
                return POLICY_DROP;
        if (class == ADDRESS_LOOPBACK)
                return say(verdict, POLICY_REFUSE, address_class_name(class));
        /* Asked before the class: "host" says more than "private". */
        switch (policy->route(packet->destination, policy->route_data)) {
        case POLICY_ROUTE_OUT:
                break;
        case POLICY_ROUTE_HOST:
                return say(verdict, POLICY_REFUSE, "host");
        case POLICY_ROUTE_BROADCAST:
                return POLICY_DROP;
        }
        if (class == ADDRESS_PUBLIC || class == ADDRESS_UNASSIGNED || (class == ADDRESS_PRIVATE && policy->lan))
                return POLICY_PASS;
        if (class == ADDRESS_PRIVATE && policy->opens && policy->opens(packet, policy->opens_data))
                return POLICY_PASS;
        return say(verdict, POLICY_REFUSE, address_class_name(class));
}

static enum policy_action judge_ipv4(const struct policy *policy, struct policy_verdict *verdict)
{
        const struct packet *packet = &verdict->packet;
        uint32_t source = ntohl(packet->source.s_addr);
        enum policy_action action;

        /* A source route would lead elsewhere than the destination says. */
        if (packet->options)
                return say(verdict, POLICY_DROP, "options");
        if (source != policy->network->guest && !(source == INADDR_ANY && is_dhcp(policy->network, packet)))
                return say(verdict, POLICY_DROP, "spoofed");
        if (is_dhcp(policy->network, packet))
                return POLICY_PASS;
        /* libslirp sends as much urgent data as the guest says there is, not as much as there is. */
        if (packet->protocol == IPPROTO_TCP && (packet->tcp_flags & PACKET_TCP_URG) != 0)
                return say(verdict, POLICY_REFUSE, "urgent");
        /* An answer to anything but an echo request could be an error about an error (RFC 1122, 3.2.2). */
        if (packet->protocol == IPPROTO_ICMP && !packet->later_fragment && packet->icmp_type != PACKET_ICMP_ECHO)
                return POLICY_DROP;
        if (on_network(policy->network, ntohl(packet->destination.s_addr)))
                return judge_own_network(policy, verdict);
        action = judge_destination(policy, verdict);
        return action == POLICY_PASS ? judge_content(policy, verdict) : action;
}

void policy_judge(const struct policy *policy, const uint8_t *frame, size_t length, struct policy_verdict *verdict)
{
        verdict->reason = NULL;
        switch (packet_parse(frame, length, &verdict->packet)) {
        case PACKET_BAD:
        case PACKET_OTHER:
                verdict->action = POLICY_DROP;
                return;
        case PACKET_ARP:
                verdict->action = judge_arp(policy->network, &verdict->packet);
                return;
        case PACKET_IPV4:
                verdict->action = judge_ipv4(policy, verdict);
                return;
        }
}
