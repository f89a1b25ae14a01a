/*
 * Whom the guest has reached and whom it was refused, for `machine egress`: a line each, in a file that is written anew every
 * second in which something changed. Times are seconds since 1970. When it is full, the refusal that is longest ago makes room,
 * so that a guest can't hide whom it reached behind what it was refused.
 *
 *         reached tcp NAME ADDRESS PORT COUNT SENT RECEIVED FIRST LAST     COUNT connections (of UDP: ports of the guest)
 *         refused tcp NAME ADDRESS PORT COUNT REASON FIRST LAST            COUNT attempts; "-" for a name or address
 *         end NUMBER                                                       that there is none of; NUMBER is the rules' own
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "lib/egress-rule.h"

#define ACCOUNT_MOST 512

struct account_entry {
        bool used;
        uint8_t protocol;   /* 0 = a question of DNS */
        const char *reason; /* NULL = reached; static */
        char name[EGRESS_NAME_MOST + 1];
        struct in_addr address;
        uint16_t port;
        uint64_t count, sent, received; /* bytes: of what TCP and UDP carry */
        int64_t first, last;
};

/* In memory that the workers share: a new one goes on with it. All zero at first. */
struct account {
        bool changed;
        int64_t rules; /* the number of those that count */
        struct account_entry items[ACCOUNT_MOST];
};

/* Counts one more, and returns its place. */
size_t account_add(struct account *account, const struct account_entry *what, int64_t now_s);
/* For a place that account_add() gave; by then it may be another's. */
void account_bytes(struct account *account, size_t place, uint64_t sent, uint64_t received, int64_t now_s);
/* Writes the file from its beginning, if something changed. Whatever fails: the next round tries again. */
void account_write(struct account *account, int fd);
