/*
 * What a guest may reach by its project's rules, behind what no guest may (policy.h). By the rules "open" everything passes and
 * is only counted. By "allow":
 *
 * - DNS answers for names that a rule names, and for addresses (A) alone: every other question has no answer, of AAAA and all
 *   other kinds none with records. DNS by TCP, and any server but ours, is refused.
 * - A connection is made to an address that such an answer gave, for as long as it holds, or that a rule names itself.
 * - By a name to the ports of the web only with that name in TLS's first message (443), or as the Host of every request (80).
 * - No ICMP.
 *
 * By "none" nothing: the guest still has DHCP, and what is forwarded to it.
 */
#pragma once

#include "account.h"
#include "dns.h"
#include "flow.h"
#include "names.h"
#include "network.h"
#include "reply.h"
#include "rules.h"

struct egress {
        const struct network *network;
        int rules_fd;       /* -1 = open, for good */
        int64_t rules_time; /* of the file, in ns; 0 = not read */
        struct rules rules;
        uint32_t reading; /* how often they were read: what was judged by an earlier one is judged again */
        struct names names;
        struct flows flows;
        struct account *account; /* shared by the workers */
        /* The way of held frames on to libslirp. */
        void (*pass)(const uint8_t *frame, size_t length, void *data);
        void *pass_data;
};

void egress_init(struct egress *egress, const struct network *network, int rules_fd, struct account *account);
void egress_clear(struct egress *egress);

/* Looks whether the file of the rules has changed. What isn't whole yet is read in the next round. */
void egress_round(struct egress *egress);
/* Do the rules open a private address? The host's own, loopback and the like stay closed. */
bool egress_opens(const struct egress *egress, const struct packet *packet);

enum egress_action {
        EGRESS_PASS,   /* to libslirp; what was held before it has gone there already */
        EGRESS_KEEP,   /* it is held, or goes nowhere */
        EGRESS_REFUSE, /* for *reason: to be answered by a refusal */
        EGRESS_ANSWER, /* `answer` goes to the guest */
};

struct egress_verdict {
        enum egress_action action;
        const char *reason;              /* static; of EGRESS_REFUSE and of an answer that is one; else NULL */
        char name[EGRESS_NAME_MOST + 1]; /* what it was about, for the log; "" = not known */
        uint8_t answer[REPLY_SIZE];
        size_t answer_length;
};

/* A frame of the guest's that may leave otherwise. */
void egress_judge(struct egress *egress, const struct packet *packet, struct egress_verdict *verdict);
/* A frame of libslirp's for the guest, and none of our own: answers of DNS are learned from, bytes counted. */
void egress_look(struct egress *egress, const uint8_t *frame, size_t length);
/* One that was refused before the rules were asked. */
void egress_refused(struct egress *egress, const struct packet *packet, const char *reason);
