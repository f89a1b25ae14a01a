/*
 * One rule of what a guest may reach: a name, all names below one, an address or a network, each with a port or without.
 *
 *         api.example.org       TCP to port 443 by TLS, 80 by HTTP, in that name
 *         *.example.org         the same for every name below it, not for itself
 *         example.org:22        TCP and UDP to that port of it; of 80 and 443 only TCP, as above
 *         10.1.2.3, 10.1.2.0/24, 10.1.2.3/32:5432
 */
#pragma once

#include <netinet/in.h>

#include "error.h"

#define EGRESS_NAME_MOST 253 /* bytes of a name: RFC 1035, 2.3.4, as text without the last dot */

struct egress_rule {
        char name[EGRESS_NAME_MOST + 1]; /* in lower case; "" = by address */
        bool below;                      /* the names below `name` */
        struct in_addr address, mask;
        uint16_t port; /* 0 = none was named */
};

/* What is no rule: ERROR_CONFIG that says why. */
int egress_rule_parse(const char *text, struct egress_rule *out, struct error **err);
/* Is it about that name (in lower case, without a last dot)? */
bool egress_rule_names(const struct egress_rule *rule, const char *name);
/* Is it about that address? */
bool egress_rule_holds(const struct egress_rule *rule, struct in_addr address);
/*
 * A name as it is compared: in lower case, without a last dot. False: it is too long, or has other characters than letters,
 * digits, hyphens, underscores and dots; `out` is then "".
 */
bool egress_name(const char *text, size_t length, char out[static EGRESS_NAME_MOST + 1]);
/* Copies such a name. */
void egress_name_set(char out[static EGRESS_NAME_MOST + 1], const char *name);
