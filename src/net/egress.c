#include "net/egress.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"

#define RULES_BYTES (RULES_MOST * (EGRESS_NAME_MOST + 16))
#define UDP_HEADER  8
#define SETTLED_S   2

void egress_init(struct egress *egress, const struct network *network, int rules_fd, struct account *account)
{
        *egress = (struct egress){ .network = network, .rules_fd = rules_fd, .account = account };
        flows_init(&egress->flows);
        /* Until the rules have been read, nothing passes. */
        if (rules_fd >= 0)
                egress->rules.mode = RULES_NONE;
}

void egress_clear(struct egress *egress)
{
        flows_clear(&egress->flows);
}

bool egress_round(struct egress *egress)
{
        _cleanup_(freep) char *text = NULL;
        struct stat status;
        int64_t changed;
        ssize_t length;

        if (egress->rules_fd < 0 || fstat(egress->rules_fd, &status) < 0)
                return false;
        changed = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
        /* A file that was just written may be written once more with the same time stamp. */
        if ((changed == egress->rules_time && time(NULL) - status.st_mtim.tv_sec > SETTLED_S) || status.st_size > RULES_BYTES)
                return false;
        text = xcalloc((size_t)status.st_size + 1, 1);
        length = pread(egress->rules_fd, text, (size_t)status.st_size, 0);
        if (length != status.st_size || !rules_parse(text, &egress->rules))
                return false;
        egress->reading++;
        egress->account->changed |= egress->account->rules != egress->rules.number;
        egress->account->rules = egress->rules.number;
        egress->rules_time = changed;
        return true;
}

bool egress_opens(const struct egress *egress, struct in_addr address, uint16_t port)
{
        return egress->rules.mode == RULES_ALLOW && rules_reach_address(&egress->rules, address, port);
}

/* --- counting */

static size_t count(struct egress *egress, const struct target *target, const char *name, const char *reason)
{
        struct account_entry entry = {
                .protocol = target->protocol,
                .reason = reason,
                .address = target->address,
                .port = target->port,
        };

        egress_name_set(entry.name, name);
        return account_add(egress->account, &entry, time(NULL));
}

static void count_question(struct egress *egress, const struct dns_question *question, const char *reason)
{
        const struct target target = { .port = NETWORK_PORT_DNS };

        count(egress, &target, question->name, reason);
}

static void count_packet(struct egress *egress, const struct packet *packet, const char *reason)
{
        const struct target target = packet_target(packet);

        count(egress, &target, "", reason);
}

void egress_refused(struct egress *egress, const struct target *target, const char *name, const char *reason)
{
        count(egress, target, name, reason);
}

void egress_bytes(struct egress *egress, const struct flow *flow, uint64_t sent, uint64_t received)
{
        if (flow->counted)
                account_bytes(egress->account, flow->account, sent, received, time(NULL));
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
                count_packet(egress, packet, verdict->reason);
                return;
        }
        if (!dns_question(packet->data + UDP_HEADER, packet->data_length - UDP_HEADER, false, &question)) {
                refuse(verdict, "dns");
                count_packet(egress, packet, verdict->reason);
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

/* --- connections and datagrams */

/*
 * Returns the name by which the rules allow a connection; NULL = there is none. Of several names that have the address it is
 * the one with the answer that holds longest, because the guest most likely asked for that one last.
 */
static const struct names_entry *find_name(const struct egress *egress, const struct target *target, bool *inspect)
{
        const struct names_entry *entry = NULL;
        const struct names_entry *best = NULL;
        int64_t now = now_ms();

        *inspect = false;
        while ((entry = names_find(&egress->names, target->address, now, entry)))
                if ((egress->rules.mode == RULES_OPEN ||
                     rules_reach_name(&egress->rules, entry->name, target->protocol, target->port, inspect)) &&
                    (!best || entry->until > best->until))
                        best = entry;
        return best;
}

static void count_flow(struct egress *egress, struct flow *flow)
{
        flow->account = count(egress, &flow->target, flow->name, NULL);
        flow->counted = true;
}

/* Sets up the flow to `target` if the rules allow it. */
static bool find_way(const struct egress *egress, const struct target *target, struct flow *flow)
{
        bool anyhow = egress->rules.mode == RULES_OPEN || egress_opens(egress, target->address, target->port);
        bool inspect;
        const struct names_entry *entry = find_name(egress, target, &inspect);

        *flow = (struct flow){ .target = *target, .watched = !anyhow && inspect, .reading = egress->reading };
        if (!anyhow && !entry)
                return false;
        egress_name_set(flow->name, entry ? entry->name : "");
        return true;
}

bool egress_begin(struct egress *egress, const struct target *target, struct flow *flow)
{
        if (!find_way(egress, target, flow))
                return false;
        /* A watched one has yet to show its name. */
        if (!flow->watched)
                count_flow(egress, flow);
        return true;
}

bool egress_show(struct egress *egress, struct flow *flow, const char *name)
{
        bool inspect;

        if (*name == '\0' || !rules_reach_name(&egress->rules, name, flow->target.protocol, flow->target.port, &inspect))
                return false;
        if (flow->counted && streq(flow->name, name))
                return true;
        egress_name_set(flow->name, name);
        count_flow(egress, flow);
        return true;
}

/* A flow that began without having to show a name may not go on once it would have to. */
static bool still_goes(const struct egress *egress, const struct flow *flow)
{
        bool inspect;

        if (egress->rules.mode == RULES_OPEN || egress_opens(egress, flow->target.address, flow->target.port))
                return true;
        return egress->rules.mode == RULES_ALLOW && *flow->name != '\0' &&
               rules_reach_name(&egress->rules, flow->name, flow->target.protocol, flow->target.port, &inspect) &&
               (!inspect || flow->watched);
}

bool egress_goes_on(struct egress *egress, struct flow *flow)
{
        if (flow->reading != egress->reading && !still_goes(egress, flow)) {
                count(egress, &flow->target, flow->name, "address");
                return false;
        }
        flow->reading = egress->reading;
        return true;
}

static void refuse_place(struct egress *egress, const struct target *target, struct egress_verdict *verdict)
{
        const struct names_entry *known = names_find(&egress->names, target->address, now_ms(), NULL);

        refuse(verdict, egress->rules.mode == RULES_NONE ? "egress" : known ? "port" : "address");
        egress_name_set(verdict->name, known ? known->name : "");
        count(egress, target, verdict->name, verdict->reason);
}

/* The connection is counted, and judged once more, when it is made. */
static void judge_connection(struct egress *egress, const struct packet *packet, struct egress_verdict *verdict)
{
        const struct target target = packet_target(packet);
        struct flow flow;

        if (packet_begins_tcp(packet) && !find_way(egress, &target, &flow))
                refuse_place(egress, &target, verdict);
}

static void judge_datagram(struct egress *egress, const struct packet *packet, struct egress_verdict *verdict)
{
        const struct target target = packet_target(packet);
        struct flow *flow = flows_find(&egress->flows, packet, false, now_ms());
        struct flow begun;

        if (!flow) {
                if (egress_begin(egress, &target, &begun))
                        flows_keep(&egress->flows, packet, &begun, now_ms());
                else
                        refuse_place(egress, &target, verdict);
        } else if (!egress_goes_on(egress, flow)) {
                refuse(verdict, "address");
                egress_name_set(verdict->name, flow->name);
                flows_drop(flow);
        }
}

void egress_sent(struct egress *egress, const struct packet *packet, size_t length)
{
        const struct flow *flow = flows_find(&egress->flows, packet, false, now_ms());

        if (flow)
                egress_bytes(egress, flow, length, 0);
}

void egress_judge(struct egress *egress, const struct packet *packet, struct egress_verdict *verdict)
{
        verdict->action = EGRESS_PASS;
        verdict->reason = NULL;
        *verdict->name = '\0';
        verdict->answer_length = 0;
        /* Forwarded connections come from the gateway. */
        if (ntohl(packet->destination.s_addr) == egress->network->gateway ||
            ntohl(packet->destination.s_addr) == INADDR_BROADCAST)
                return;
        if (ntohl(packet->destination.s_addr) == egress->network->dns) {
                judge_dns(egress, packet, verdict);
        } else if (packet->protocol == IPPROTO_TCP) {
                judge_connection(egress, packet, verdict);
        } else if (packet->protocol == IPPROTO_UDP) {
                judge_datagram(egress, packet, verdict);
        } else if (egress->rules.mode != RULES_OPEN) {
                refuse(verdict, "icmp");
                count_packet(egress, packet, verdict->reason);
        }
}

void egress_look(struct egress *egress, const uint8_t *frame, size_t length)
{
        struct packet packet;
        const struct flow *flow;

        if (packet_parse(frame, length, &packet) != PACKET_IPV4 || packet.fragment || packet.protocol != IPPROTO_UDP)
                return;
        if (ntohl(packet.source.s_addr) == egress->network->dns) {
                if (packet.source_port == NETWORK_PORT_DNS)
                        learn_answer(egress, &packet);
                return;
        }
        flow = flows_find(&egress->flows, &packet, true, now_ms());
        if (flow)
                egress_bytes(egress, flow, 0, packet.data_length - UDP_HEADER);
}
