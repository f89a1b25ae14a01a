/*
 * One rule for what a guest may reach: a name, all names below one, an address or a network, each with a port or without.
 *
 *         api.example.org       TCP to port 443 by TLS and to port 80 by HTTP, under that name
 *         *.example.org         the same for every name below it, but not for itself
 *         example.org:22        TCP and UDP to that port; for 80 and 443 only TCP, as above
 *         10.1.2.3, 10.1.2.0/24, 10.1.2.3/32:5432
 */
#pragma once

#include <netinet/in.h>

#include "lib/error.h"

#define EGRESS_NAME_MOST 253 /* bytes of a name: RFC 1035, 2.3.4, as text without the last dot */

struct egress_rule {
        char name[EGRESS_NAME_MOST + 1]; /* in lower case; "" = by address */
        bool below;                      /* the names below `name` */
        struct in_addr address, mask;
        uint16_t port; /* 0 = none given */
};

/* Fails with an ERROR_CONFIG that says why when `text` is not a rule. */
int egress_rule_parse(const char *text, struct egress_rule *out, struct error **err);
/* Is the rule about this name (in lower case, without a last dot)? */
bool egress_rule_names(const struct egress_rule *rule, const char *name);
/* Is the rule about this address? */
bool egress_rule_holds(const struct egress_rule *rule, struct in_addr address);
/*
 * Writes a name in the form in which names are compared: in lower case, without a last dot. Returns false when the name is
 * empty, too long, has an empty label, or has characters other than letters, digits, hyphens, underscores and dots; `out` is
 * then "".
 */
bool egress_name(const char *text, size_t length, char out[static EGRESS_NAME_MOST + 1]);
/* Copies such a name. */
void egress_name_set(char out[static EGRESS_NAME_MOST + 1], const char *name);
