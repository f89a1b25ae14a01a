/*
 * What the guest has reached and what it was refused, for `machine egress`: one line for each, in a file that is rewritten
 * every second in which something changed. A supervisor that is killed loses that second. Times are seconds since 1970. When
 * the account is full, the refusal that was longest ago makes room, so that a guest can't hide what it reached behind what it
 * was refused.
 *
 *         reached tcp NAME ADDRESS PORT COUNT SENT RECEIVED FIRST LAST     COUNT connections (for UDP: ports of the guest)
 *         refused tcp NAME ADDRESS PORT COUNT REASON FIRST LAST            COUNT attempts
 *         end NUMBER                                                       the number of the rules (rules.h)
 *
 * NAME and ADDRESS are "-" when there is none.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "lib/egress-rule.h"

#define ACCOUNT_MOST 512

struct account_entry {
        bool used;
        uint8_t protocol;   /* 0 = a DNS question */
        const char *reason; /* NULL = reached; never freed */
        char name[EGRESS_NAME_MOST + 1];
        struct in_addr address;
        uint16_t port;
        uint64_t count, sent, received; /* bytes that TCP and UDP carried */
        int64_t first, last;
};

/* In memory that the workers share: a new worker continues it. All zero at first. */
struct account {
        bool changed;
        int64_t rules; /* the number of those in force */
        struct account_entry items[ACCOUNT_MOST];
};

/* Counts one more. Returns the index of its entry. */
size_t account_add(struct account *account, const struct account_entry *what, int64_t now_s);
/* `place` is an index from account_add(). The entry may have been given to something else since then. */
void account_bytes(struct account *account, size_t place, uint64_t sent, uint64_t received, int64_t now_s);
/* Goes on from what account_write() has left in a file: fills an empty account. Lines that it didn't write are passed over. */
void account_read(struct account *account, int fd);
/* Rewrites the whole file if something changed. After a failure the next round tries again. */
void account_write(struct account *account, int fd);
