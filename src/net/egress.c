#include "egress.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"

#define RULES_BYTES (RULES_MOST * (EGRESS_NAME_MOST + 16))
#define UDP_HEADER  8
#define PORT_TLS    443
#define SETTLED_S   2

void egress_init(struct egress *egress, const struct network *network, int rules_fd, struct account *account)
{
        *egress = (struct egress){ .network = network, .rules_fd = rules_fd, .account = account };
        flows_init(&egress->flows);
        /* Until they could be read, nothing passes. */
        if (rules_fd >= 0)
                egress->rules.mode = RULES_NONE;
}

void egress_clear(struct egress *egress)
{
        flows_clear(&egress->flows);
}

void egress_round(struct egress *egress)
{
        _cleanup_(freep) char *text = NULL;
        struct stat status;
        int64_t changed;
        ssize_t length;

        if (egress->rules_fd < 0 || fstat(egress->rules_fd, &status) < 0)
                return;
        changed = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
        /* A file that was just written may be written once more at the same time, as file systems count it. */
        if ((changed == egress->rules_time && time(NULL) - status.st_mtim.tv_sec > SETTLED_S) || status.st_size > RULES_BYTES)
                return;
        text = xcalloc((size_t)status.st_size + 1, 1);
        length = pread(egress->rules_fd, text, (size_t)status.st_size, 0);
        if (length != status.st_size || !rules_parse(text, &egress->rules))
                return;
        egress->reading++;
        egress->account->changed |= egress->account->rules != egress->rules.number;
        egress->account->rules = egress->rules.number;
        egress->rules_time = changed;
}

bool egress_opens(const struct egress *egress, const struct packet *packet)
{
        return egress->rules.mode == RULES_ALLOW &&
               rules_reach_address(&egress->rules, packet->destination, packet->destination_port);
}

/* --- counting */

static size_t count(struct egress *egress, const struct packet *packet, const char *name, const char *reason)
{
        struct account_entry entry = {
                .protocol = packet->protocol,
                .reason = reason,
                .address = packet->destination,
                .port = packet->destination_port,
        };

        egress_name_set(entry.name, name);
        return account_add(egress->account, &entry, time(NULL));
}

static void count_question(struct egress *egress, const struct dns_question *question, const char *reason)
{
        struct account_entry entry = { .reason = reason, .port = NETWORK_PORT_DNS };

        egress_name_set(entry.name, question->name);
        account_add(egress->account, &entry, time(NULL));
}

void egress_refused(struct egress *egress, const struct packet *packet, const char *reason)
{
        count(egress, packet, "", reason);
}

static void refuse(struct egress_verdict *verdict, const char *reason)
{
        verdict->action = EGRESS_REFUSE;
        verdict->reason = reason;
}

/* --- DNS */

static void answer(struct egress *egress, const struct packet *packet, const struct dns_question *question, uint8_t code,
                   struct egress_verdict *verdict)
{
        uint8_t message[DNS_REPLY_MOST];
        size_t length = dns_reply(packet->data + UDP_HEADER, question, code, message);

        verdict->action = EGRESS_ANSWER;
        verdict->answer_length = reply_datagram(packet, message, length, verdict->answer);
}

static void judge_dns(struct egress *egress, const struct packet *packet, struct egress_verdict *verdict)
{
        struct dns_question question;

        if (egress->rules.mode == RULES_OPEN)
                return;
        if (packet->protocol != IPPROTO_UDP) {
                refuse(verdict, "dns-tcp");
                count(egress, packet, "", verdict->reason);
                return;
        }
        if (!dns_question(packet->data + UDP_HEADER, packet->data_length - UDP_HEADER, false, &question)) {
                refuse(verdict, "dns");
                count(egress, packet, "", verdict->reason);
                return;
        }
        egress_name_set(verdict->name, question.name);
        if (egress->rules.mode == RULES_NONE || !rules_name(&egress->rules, question.name)) {
                verdict->reason = "name";
                count_question(egress, &question, verdict->reason);
                answer(egress, packet, &question, DNS_NO_SUCH_NAME, verdict);
        } else if (question.type != DNS_TYPE_A) {
                answer(egress, packet, &question, DNS_NO_ERROR, verdict);
        }
}

struct learning {
        struct egress *egress;
        const char *name;
};

static void learn(struct in_addr address, uint32_t seconds, void *data)
{
        struct learning *learning = data;

        names_learn(&learning->egress->names, learning->name, address, seconds, now_ms());
}

static void learn_answer(struct egress *egress, const struct packet *packet)
{
        const uint8_t *message = packet->data + UDP_HEADER;
        size_t length = packet->data_length - UDP_HEADER;
        struct dns_question question;
        struct learning learning = { .egress = egress, .name = question.name };

        if (!dns_question(message, length, true, &question) || *question.name == '\0')
                return;
        if (egress->rules.mode == RULES_OPEN ||
            (egress->rules.mode == RULES_ALLOW && rules_name(&egress->rules, question.name)))
                dns_addresses(message, length, &question, learn, &learning);
}

/* --- connections */

/*
 * The name that a connection of these rules goes by; NULL = none does. Of several that have the address the one whose answer
 * holds for longest, for that is most likely the one that was asked for last.
 */
static const struct names_entry *find_name(const struct egress *egress, const struct packet *packet, bool *inspect)
{
        const struct names_entry *entry = NULL;
        const struct names_entry *best = NULL;
        int64_t now = now_ms();

        *inspect = false;
        while ((entry = names_find(&egress->names, packet->destination, now, entry)))
                if ((egress->rules.mode == RULES_OPEN ||
                     rules_reach_name(&egress->rules, entry->name, packet->protocol, packet->destination_port, inspect)) &&
                    (!best || entry->until > best->until))
                        best = entry;
        return best;
}

static void count_flow(struct egress *egress, struct flow *flow, const struct packet *packet)
{
        flow->account = count(egress, packet, flow->name, NULL);
        flow->counted = true;
}

static void close_flow(struct egress *egress, struct flow *flow)
{
        uint8_t reset[FLOW_RESET_SIZE];

        if (flow->judged)
                egress->pass(reset, flow_reset(flow, (struct in_addr){ .s_addr = htonl(egress->network->guest) }, reset),
                             egress->pass_data);
        flow_end(flow);
}

static void begin(struct egress *egress, const struct packet *packet, struct egress_verdict *verdict)
{
        bool open = egress->rules.mode == RULES_OPEN;
        bool by_address = egress_opens(egress, packet);
        bool inspect;
        const struct names_entry *entry = find_name(egress, packet, &inspect);
        struct flow *flow;

        if (!open && !by_address && !entry) {
                const struct names_entry *known = names_find(&egress->names, packet->destination, now_ms(), NULL);

                egress_name_set(verdict->name, known ? known->name : "");
                refuse(verdict, egress->rules.mode == RULES_NONE ? "egress" : known ? "port" : "address");
                count(egress, packet, verdict->name, verdict->reason);
                return;
        }
        flow = flows_place(&egress->flows, packet);
        close_flow(egress, flow);
        flow_begin(flow, packet, now_ms());
        flow->reading = egress->reading;
        egress_name_set(flow->name, entry ? entry->name : "");
        if (!open && !by_address && inspect)
                flow->watch = packet->destination_port == PORT_TLS ? FLOW_TLS : FLOW_HTTP;
        /* One that is watched has yet to show whom it is for. */
        if (flow->watch == FLOW_FREE)
                count_flow(egress, flow, packet);
}

/* Rules that came later count for what is there already: also for what was begun before a name had to be shown. */
static bool still_goes(const struct egress *egress, const struct flow *flow, const struct packet *packet)
{
        bool inspect;

        if (egress->rules.mode == RULES_OPEN || egress_opens(egress, packet))
                return true;
        return egress->rules.mode == RULES_ALLOW && *flow->name != '\0' &&
               rules_reach_name(&egress->rules, flow->name, packet->protocol, packet->destination_port, &inspect) &&
               (!inspect || flow->judged);
}

static void pass_held(struct egress *egress, struct flow *flow)
{
        struct flow_held *held = flow->held;

        if (!held)
                return;
        flow->held = NULL;
        for (size_t i = 0; i < held->frame_count; i++) {
                egress->pass(held->frames[i].frame, held->frames[i].length, egress->pass_data);
                free(held->frames[i].frame);
        }
        free(held);
}

/* Both ends: the guest by the refusal, the other by a reset in the guest's place. */
static void cut(struct egress *egress, struct flow *flow, const struct packet *packet, struct egress_verdict *verdict)
{
        count(egress, packet, verdict->name, verdict->reason);
        close_flow(egress, flow);
}

/* Is the name that it shows one that may be reached there? */
static bool may_show(const struct egress *egress, const struct packet *packet, const char *name)
{
        bool inspect;

        return *name != '\0' && rules_reach_name(&egress->rules, name, IPPROTO_TCP, packet->destination_port, &inspect);
}

static void watch(struct egress *egress, struct flow *flow, const struct packet *packet, struct egress_verdict *verdict)
{
        enum flow_step step = flow_take(flow, packet, verdict->name, &verdict->reason);

        while (step == FLOW_SHOWN) {
                if (!may_show(egress, packet, verdict->name)) {
                        step = FLOW_REFUSE;
                        verdict->reason = flow->destination_port == PORT_TLS ? "sni" : "host-header";
                        break;
                }
                if (!flow->counted || !streq(flow->name, verdict->name)) {
                        egress_name_set(flow->name, verdict->name);
                        count_flow(egress, flow, packet);
                }
                step = flow_go_on(flow, verdict->name, &verdict->reason);
        }
        switch (step) {
        case FLOW_PASS:
                verdict->action = EGRESS_PASS;
                break;
        case FLOW_RELEASE:
                pass_held(egress, flow);
                verdict->action = EGRESS_KEEP;
                break;
        case FLOW_SHOWN: /* answered above */
        case FLOW_HOLD:
                verdict->action = EGRESS_KEEP;
                break;
        case FLOW_REFUSE:
                verdict->action = EGRESS_REFUSE;
                cut(egress, flow, packet, verdict);
                break;
        }
}

static size_t carried(const struct packet *packet)
{
        size_t header = packet->protocol == IPPROTO_TCP ? (size_t)(packet->data[12] >> 4) * 4 : UDP_HEADER;

        return packet->data_length - header;
}

static void judge_flow(struct egress *egress, const struct packet *packet, struct egress_verdict *verdict)
{
        struct flow *flow = flows_find(&egress->flows, packet, false);
        bool syn = packet->protocol == IPPROTO_TCP && (packet->tcp_flags & PACKET_TCP_SYN) != 0;

        /* The same SYN again, of a connection that is waited for, is no second one. */
        if (flow && syn && (!flow->judged || packet_get32(packet->data + 4) != flow->first)) {
                close_flow(egress, flow);
                flow = NULL;
        }
        if (!flow) {
                /* Nothing of a connection that was not seen to begin: with the rules "open" libslirp knows best. */
                if (packet->protocol == IPPROTO_TCP && !syn) {
                        if (egress->rules.mode != RULES_OPEN)
                                refuse(verdict, NULL);
                        return;
                }
                begin(egress, packet, verdict);
                flow = verdict->action == EGRESS_PASS ? flows_find(&egress->flows, packet, false) : NULL;
                if (!flow)
                        return;
        } else if (flow->reading != egress->reading && !still_goes(egress, flow, packet)) {
                refuse(verdict, "address");
                egress_name_set(verdict->name, flow->name);
                cut(egress, flow, packet, verdict);
                return;
        }
        flow->reading = egress->reading;
        flow->last = now_ms();
        if (flow->watch != FLOW_FREE || flow->judged)
                watch(egress, flow, packet, verdict);
        if (flow->counted)
                account_bytes(egress->account, flow->account, carried(packet), 0, time(NULL));
        /* In the place of the guest's own, which libslirp need not take. */
        if (packet->protocol == IPPROTO_TCP && (packet->tcp_flags & PACKET_TCP_RST) != 0) {
                verdict->action = flow->judged ? EGRESS_KEEP : verdict->action;
                close_flow(egress, flow);
        }
}

void egress_judge(struct egress *egress, const struct packet *packet, struct egress_verdict *verdict)
{
        verdict->action = EGRESS_PASS;
        verdict->reason = NULL;
        *verdict->name = '\0';
        verdict->answer_length = 0;
        /* What is forwarded to the guest comes from there. */
        if (ntohl(packet->destination.s_addr) == egress->network->gateway ||
            ntohl(packet->destination.s_addr) == INADDR_BROADCAST)
                return;
        if (ntohl(packet->destination.s_addr) == egress->network->dns) {
                judge_dns(egress, packet, verdict);
        } else if (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP) {
                judge_flow(egress, packet, verdict);
        } else if (egress->rules.mode != RULES_OPEN) {
                refuse(verdict, "icmp");
                count(egress, packet, "", verdict->reason);
        }
}

void egress_look(struct egress *egress, const uint8_t *frame, size_t length)
{
        struct packet packet;
        struct flow *flow;

        if (packet_parse(frame, length, &packet) != PACKET_IPV4 || packet.fragment ||
            (packet.protocol != IPPROTO_TCP && packet.protocol != IPPROTO_UDP))
                return;
        if (ntohl(packet.source.s_addr) == egress->network->dns) {
                if (packet.protocol == IPPROTO_UDP && packet.source_port == NETWORK_PORT_DNS)
                        learn_answer(egress, &packet);
                return;
        }
        flow = flows_find(&egress->flows, &packet, true);
        if (!flow)
                return;
        flow->last = now_ms();
        if (flow->counted)
                account_bytes(egress->account, flow->account, 0, carried(&packet), time(NULL));
        if (packet.protocol == IPPROTO_TCP)
                flow_confirm(flow, &packet);
}
