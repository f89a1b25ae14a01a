/*
 * Which name an address was given for, learned from the resolver's answers as they passed, for as long as each answer holds.
 * One address can have several names. When the table is full, the entry that expires first makes room.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "lib/egress-rule.h"

#define NAMES_MOST 1024

struct names_entry {
        struct in_addr address;
        int64_t until; /* by now_ms(); 0 = unused */
        char name[EGRESS_NAME_MOST + 1];
};

struct names {
        struct names_entry items[NAMES_MOST];
};

void names_learn(struct names *names, const char *name, struct in_addr address, uint32_t seconds, int64_t now);
/* For a guest whose clock stood still for so long: to it, each answer holds for as long as before. */
void names_stood_still(struct names *names, int64_t ms);
/* Returns the first entry of the address after `after` (NULL: of all) that still holds. NULL = there is none. */
const struct names_entry *names_find(const struct names *names, struct in_addr address, int64_t now,
                                     const struct names_entry *after);
