/*
 * What a guest may reach by its project's rules. What no guest may reach has been refused before (policy.h). With the rules
 * "open" everything passes and is only counted. With "allow":
 *
 * - DNS answers only for names that a rule names, and only with addresses (A): a question for another kind of record (AAAA and
 *   all others) gets an answer without records. DNS by TCP, and any server but ours, is refused.
 * - A connection is made only to an address that such an answer gave, for as long as the answer holds, or to one that a rule
 *   names itself.
 * - A connection by name to a port of the web has to show that name: in TLS's first message (443), or as the Host of every
 *   request (80).
 * - There is no ICMP.
 *
 * With "none" nothing passes but DHCP, and what is forwarded to the guest.
 *
 * DNS, datagrams and ICMP are judged here frame by frame. A connection is judged when it is made, and again with each name
 * that it shows (conduit.h).
 */
#pragma once

#include "net/account.h"
#include "net/dns.h"
#include "net/flow.h"
#include "net/names.h"
#include "net/network.h"
#include "net/reply.h"
#include "net/rules.h"

struct egress {
        const struct network *network;
        int rules_fd;       /* -1 = always open */
        int64_t rules_time; /* when the file was changed, in ns; 0 = not read */
        struct rules rules;
        uint32_t reading; /* how often they were read; what an earlier reading allowed is judged again */
        struct names names;
        struct flows flows;
        struct account *account; /* shared by the workers */
};

void egress_init(struct egress *egress, const struct network *network, int rules_fd, struct account *account);
void egress_clear(struct egress *egress);

/*
 * Reads the file of the rules if it may have changed. Returns true when it was read. A file that isn't whole is left to the
 * next round.
 */
bool egress_round(struct egress *egress);
/* Do the rules open this private address? The host's own, loopback and the like stay closed. */
bool egress_opens(const struct egress *egress, struct in_addr address, uint16_t port);

enum egress_action {
        EGRESS_PASS,   /* to libslirp */
        EGRESS_REFUSE, /* for *reason; the guest gets a refusal */
        EGRESS_ANSWER, /* `answer` goes to the guest */
};

struct egress_verdict {
        enum egress_action action;
        const char *reason;              /* static; for EGRESS_REFUSE and for an answer that refuses; else NULL */
        char name[EGRESS_NAME_MOST + 1]; /* the name concerned, for the log; "" = not known */
        uint8_t answer[REPLY_SIZE];
        size_t answer_length;
};

/* Judges a frame of the guest's that policy.h lets pass. */
void egress_judge(struct egress *egress, const struct packet *packet, struct egress_verdict *verdict);
/* Counts a datagram of `length` bytes that has left. */
void egress_sent(struct egress *egress, const struct packet *packet, size_t length);
/* Looks at a frame from libslirp (not one of ours) to the guest: learns from DNS answers and counts the bytes of datagrams. */
void egress_look(struct egress *egress, const uint8_t *frame, size_t length);

/* May a connection be made there? If so, *flow is set up for it, and counted unless it still has to show a name. */
bool egress_begin(struct egress *egress, const struct target *target, struct flow *flow);
/* May the flow show that name? If so, it is counted as reached by that name. */
bool egress_show(struct egress *egress, struct flow *flow, const char *name);
/* Do the rules, which may have changed, still allow the flow? */
bool egress_goes_on(struct egress *egress, struct flow *flow);
void egress_bytes(struct egress *egress, const struct flow *flow, uint64_t sent, uint64_t received);
/* Counts a refusal; `name` is the name concerned, "" = not known. */
void egress_refused(struct egress *egress, const struct target *target, const char *name, const char *reason);
