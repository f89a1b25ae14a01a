#include "net/flow.h"

#include <stdlib.h>

#define PROBES 16

void flows_init(struct flows *flows)
{
        flows->items = xcalloc(FLOWS_MOST, sizeof(*flows->items));
}

void flows_clear(struct flows *flows)
{
        free(flows->items);
        flows->items = NULL;
}

struct key {
        struct in_addr far;
        uint16_t ours, theirs; /* ports: the guest's, the far end's */
};

static struct key key_of(const struct packet *packet, bool back)
{
        return (struct key){
                .far = back ? packet->source : packet->destination,
                .ours = back ? packet->destination_port : packet->source_port,
                .theirs = back ? packet->source_port : packet->destination_port,
        };
}

static struct flow_datagrams *place_of(const struct flows *flows, const struct key *key, size_t probe)
{
        uint32_t mixed = ntohl(key->far.s_addr) * 2654435761u ^ ((uint32_t)key->ours << 16 | key->theirs) * 2246822519u;

        return &flows->items[((mixed ^ mixed >> 15) + probe) % FLOWS_MOST];
}

static bool is_its(const struct flow_datagrams *entry, const struct key *key)
{
        return entry->source_port != 0 && entry->source_port == key->ours && entry->flow.target.port == key->theirs &&
               entry->flow.target.address.s_addr == key->far.s_addr;
}

struct flow *flows_find(struct flows *flows, const struct packet *packet, bool back, int64_t now)
{
        const struct key key = key_of(packet, back);

        for (size_t probe = 0; probe < PROBES; probe++) {
                struct flow_datagrams *entry = place_of(flows, &key, probe);

                if (is_its(entry, &key)) {
                        entry->last = now;
                        return &entry->flow;
                }
        }
        return NULL;
}

void flows_keep(struct flows *flows, const struct packet *packet, const struct flow *flow, int64_t now)
{
        const struct key key = key_of(packet, false);
        struct flow_datagrams *best = place_of(flows, &key, 0);

        for (size_t probe = 0; probe < PROBES && best->source_port != 0; probe++) {
                struct flow_datagrams *entry = place_of(flows, &key, probe);

                if (entry->source_port == 0 || entry->last < best->last)
                        best = entry;
        }
        *best = (struct flow_datagrams){ .source_port = key.ours, .last = now, .flow = *flow };
}

void flows_drop(struct flow *flow)
{
        struct flow_datagrams *entry = (struct flow_datagrams *)((char *)flow - offsetof(struct flow_datagrams, flow));

        entry->source_port = 0;
}
