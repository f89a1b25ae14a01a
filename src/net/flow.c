#include "flow.h"

#include <stdlib.h>

#define PROBES   16
#define TCP_SIZE 20
#define TTL      64

static bool is_before(uint32_t a, uint32_t b)
{
        return (int32_t)(a - b) < 0;
}

/* --- the table */

void flows_init(struct flows *flows)
{
        flows->items = xcalloc(FLOWS_MOST, sizeof(*flows->items));
}

void flows_clear(struct flows *flows)
{
        for (size_t i = 0; flows->items && i < FLOWS_MOST; i++)
                flow_end(&flows->items[i]);
        free(flows->items);
        flows->items = NULL;
}

static void drop_held(struct flow *flow)
{
        for (size_t i = 0; flow->held && i < flow->held->frame_count; i++)
                free(flow->held->frames[i].frame);
        free(flow->held);
        flow->held = NULL;
}

void flow_end(struct flow *flow)
{
        drop_held(flow);
        *flow = (struct flow){ 0 };
}

struct flow_key {
        struct in_addr far;
        uint16_t ours, theirs; /* ports: the guest's, the other's */
        uint8_t protocol;
};

static struct flow_key key_of(const struct packet *packet, bool back)
{
        return (struct flow_key){
                .far = back ? packet->source : packet->destination,
                .ours = back ? packet->destination_port : packet->source_port,
                .theirs = back ? packet->source_port : packet->destination_port,
                .protocol = packet->protocol,
        };
}

static size_t place_of(const struct flow_key *key)
{
        uint32_t mixed =
                ntohl(key->far.s_addr) * 2654435761u ^ ((uint32_t)key->ours << 16 | key->theirs) * 2246822519u ^ key->protocol;

        return (mixed ^ mixed >> 15) % FLOWS_MOST;
}

static bool is_its(const struct flow *flow, const struct flow_key *key)
{
        return flow->used && flow->destination.s_addr == key->far.s_addr && flow->source_port == key->ours &&
               flow->destination_port == key->theirs && flow->protocol == key->protocol;
}

struct flow *flows_find(struct flows *flows, const struct packet *packet, bool back)
{
        const struct flow_key key = key_of(packet, back);
        size_t place = place_of(&key);

        for (size_t i = 0; i < PROBES; i++) {
                struct flow *flow = &flows->items[(place + i) % FLOWS_MOST];

                if (is_its(flow, &key))
                        return flow;
        }
        return NULL;
}

struct flow *flows_place(struct flows *flows, const struct packet *packet)
{
        const struct flow_key key = key_of(packet, false);
        size_t place = place_of(&key);
        struct flow *best = &flows->items[place];

        for (size_t i = 0; i < PROBES; i++) {
                struct flow *flow = &flows->items[(place + i) % FLOWS_MOST];

                if (!flow->used || is_its(flow, &key))
                        return flow;
                if (flow->last < best->last)
                        best = flow;
        }
        return best;
}

void flow_begin(struct flow *flow, const struct packet *packet, int64_t now)
{
        const struct flow_key key = key_of(packet, false);

        *flow = (struct flow){
                .used = true,
                .protocol = key.protocol,
                .source_port = key.ours,
                .destination_port = key.theirs,
                .destination = key.far,
                .last = now,
        };
}

/* --- what is watched */

static uint32_t sequence_of(const struct packet *packet)
{
        return packet_get32(packet->data + 4);
}

/* What a TCP packet carries. */
static const uint8_t *payload_of(const struct packet *packet, size_t *length)
{
        size_t header = (size_t)(packet->data[12] >> 4) * 4;

        *length = packet->data_length - header;
        return packet->data + header;
}

static enum flow_step refuse(const char **reason, const char *why)
{
        *reason = why;
        return FLOW_REFUSE;
}

/* Puts the frame behind those that are held, and what it carries behind their data. */
static bool hold(struct flow *flow, const struct packet *packet, const uint8_t *data, size_t length)
{
        struct flow_held *held = flow->held;

        if (!held)
                held = flow->held = xcalloc(1, sizeof(*held));
        if (held->frame_count == FLOW_HELD_MOST || length > sizeof(held->data) - held->length)
                return false;
        memcpy(held->data + held->length, data, length);
        held->length += length;
        held->frames[held->frame_count].frame = xmemdup(packet->frame, packet->length);
        held->frames[held->frame_count].length = packet->length;
        held->frame_count++;
        return true;
}

static enum flow_step read_tls(struct flow *flow, char *name, const char **reason)
{
        int found = hello_read(flow->held->data, flow->held->length, name);

        if (found < 0)
                return refuse(reason, "no-tls");
        if (found == 0)
                return FLOW_HOLD;
        flow->watch = FLOW_FREE;
        return FLOW_SHOWN;
}

/* Until more is needed. What is settled leaves the front; a head that was shown is asked about before the rest is read. */
static enum flow_step read_http(struct flow *flow, char *name, const char **reason)
{
        struct flow_held *held = flow->held;

        while (held->length > 0) {
                bool head;
                int64_t used = http_read(&flow->http, held->data, held->length, name, &head);

                if (used < 0)
                        return refuse(reason, "no-http");
                if (used == 0)
                        return FLOW_HOLD;
                held->length -= (size_t)used;
                memmove(held->data, held->data + used, held->length);
                if (head)
                        return FLOW_SHOWN;
        }
        return FLOW_RELEASE;
}

enum flow_step flow_go_on(struct flow *flow, char name[static EGRESS_NAME_MOST + 1], const char **reason)
{
        switch (flow->watch) {
        case FLOW_TLS:
                return read_tls(flow, name, reason);
        case FLOW_HTTP:
                return read_http(flow, name, reason);
        case FLOW_FREE:
                break;
        }
        return FLOW_RELEASE;
}

/*
 * A packet whose data, or part of it, was taken before. What libslirp doesn't have yet may wait here for the rest of what it is
 * part of, or is on its way; the guest sends it again, and by then it counts for nothing there.
 */
static enum flow_step take_again(const struct flow *flow, uint32_t end)
{
        if (!is_before(flow->confirmed, end))
                return FLOW_PASS;
        return FLOW_HOLD;
}

enum flow_step flow_take(struct flow *flow, const struct packet *packet, char name[static EGRESS_NAME_MOST + 1],
                         const char **reason)
{
        uint32_t start = sequence_of(packet);
        const uint8_t *data;
        size_t length;

        data = payload_of(packet, &length);
        if ((packet->tcp_flags & PACKET_TCP_SYN) != 0) {
                if (length > 0)
                        return refuse(reason, "early-data");
                /* Once more: it changes nothing, here as there. */
                if (flow->judged)
                        return FLOW_PASS;
                flow->judged = true;
                flow->first = start;
                flow->next = flow->confirmed = start + 1;
                return FLOW_PASS;
        }
        /* The far end takes such a byte out of the stream, and reads another one than we did. */
        if ((packet->tcp_flags & PACKET_TCP_URG) != 0)
                return refuse(reason, "urgent");
        if (length == 0)
                return flow->held && (packet->tcp_flags & PACKET_TCP_FIN) != 0 ? FLOW_HOLD : FLOW_PASS;
        if (is_before(start, flow->next))
                return take_again(flow, start + (uint32_t)length);
        if (flow->watch == FLOW_FREE)
                return FLOW_PASS;
        /* Out of order: it will come again. */
        if (start != flow->next)
                return FLOW_HOLD;
        if (!hold(flow, packet, data, length))
                return refuse(reason, "too-long");
        flow->next += (uint32_t)length;
        return flow_go_on(flow, name, reason);
}

void flow_confirm(struct flow *flow, const struct packet *packet)
{
        uint32_t confirmed = packet_get32(packet->data + 8);

        if (flow->judged && (packet->tcp_flags & PACKET_TCP_ACK) != 0 && is_before(flow->confirmed, confirmed))
                flow->confirmed = confirmed;
}

size_t flow_reset(const struct flow *flow, struct in_addr guest, uint8_t out[static FLOW_RESET_SIZE])
{
        uint8_t *ip = out + PACKET_ETHERNET;
        uint8_t *tcp = ip + PACKET_IPV4_SIZE;

        memset(out, 0, FLOW_RESET_SIZE);
        packet_put16(out + 12, PACKET_TYPE_IPV4);
        ip[0] = 4 << 4 | PACKET_IPV4_SIZE / 4;
        packet_put16(ip + 2, PACKET_IPV4_SIZE + TCP_SIZE);
        ip[8] = TTL;
        ip[9] = IPPROTO_TCP;
        packet_put32(ip + 12, ntohl(guest.s_addr));
        packet_put32(ip + 16, ntohl(flow->destination.s_addr));
        packet_put16(ip + 10, packet_checksum(ip, PACKET_IPV4_SIZE, 0));
        packet_put16(tcp, flow->source_port);
        packet_put16(tcp + 2, flow->destination_port);
        packet_put32(tcp + 4, flow->confirmed);
        tcp[12] = TCP_SIZE / 4 << 4;
        tcp[13] = PACKET_TCP_RST;
        packet_put16(tcp + 16,
                     packet_checksum(tcp, TCP_SIZE, packet_pseudo_sum(guest, flow->destination, IPPROTO_TCP, TCP_SIZE)));
        return FLOW_RESET_SIZE;
}
