/*
 * What the guest may reach, as the host wrote it into a file that was opened at the start and is looked at anew while the guest
 * runs: lines, so that a half-written file is seen to be one.
 *
 *         allow              or "open", "none"
 *         api.example.org    a rule each (lib/egress-rule.h)
 *         end 1700000000     a number that comes back in the account (account.h) once these rules count; or none
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

/* False: it isn't whole, or not of this form; `out` is then as it was. */
bool rules_parse(const char *text, struct rules *out);

/* Do the rules name this name at all? Its address may then be asked for. */
bool rules_name(const struct rules *rules, const char *name);
/* May a connection to `port` of that name be made? *inspect: it has to show that name first, by TLS or HTTP. */
bool rules_reach_name(const struct rules *rules, const char *name, uint8_t protocol, uint16_t port, bool *inspect);
/* Is the address itself among them? */
bool rules_reach_address(const struct rules *rules, struct in_addr address, uint16_t port);
