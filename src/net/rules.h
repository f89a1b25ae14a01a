/*
 * What the guest may reach. The host writes it into a file that was opened at the start and is checked for changes while the
 * guest runs. Its last line marks the end, so that a half-written file is recognised.
 *
 *         allow              or "open", "none"
 *         api.example.org    one rule a line (lib/egress-rule.h)
 *         end 1700000000     the number, which may be missing, appears in the account (account.h) once these rules apply
 */
#pragma once

#include "lib/egress-rule.h"

#define RULES_MOST 512

enum rules_mode {
        RULES_OPEN, /* everything that isn't refused anyway (policy.h) */
        RULES_ALLOW,
        RULES_NONE,
};

struct rules {
        enum rules_mode mode;
        struct egress_rule items[RULES_MOST];
        size_t count;
        int64_t number; /* 0 = none */
};

/* Returns false when the text isn't whole, or not of this form; `out` then stays as it was. */
bool rules_parse(const char *text, struct rules *out);

/* Do the rules name this name at all? If so, its address may be looked up. */
bool rules_name(const struct rules *rules, const char *name);
/* May a connection be made to `port` of that name? *inspect: it has to show that name first, by TLS or HTTP. */
bool rules_reach_name(const struct rules *rules, const char *name, uint8_t protocol, uint16_t port, bool *inspect);
/* Do the rules name the address itself, for this port? */
bool rules_reach_address(const struct rules *rules, struct in_addr address, uint16_t port);
