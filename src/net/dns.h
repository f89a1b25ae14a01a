/* DNS questions and answers, as far as needed to know which name has which address. Sources: RFC 1035, RFC 2181. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "lib/egress-rule.h"

#define DNS_TYPE_A 1

#define DNS_NO_ERROR     0
#define DNS_NO_SUCH_NAME 3 /* NXDOMAIN */

#define DNS_HEADER     12
#define DNS_REPLY_MOST (DNS_HEADER + 256 + 4)

struct dns_question {
        char name[EGRESS_NAME_MOST + 1]; /* in lower case; "" = one that no rule can name: other characters, the root */
        uint16_t type;
        size_t end; /* where the question ends in the message */
};

/*
 * Reads the one question of a query (`answer`: of an answer). Returns false when the message isn't one, has another number of
 * questions, or is malformed.
 */
bool dns_question(const uint8_t *message, size_t length, bool answer, struct dns_question *out);
/* Writes an answer without records to a query. `code` is a number of RFC 1035, 4.1.1. Returns the answer's length. */
size_t dns_reply(const uint8_t *message, const struct dns_question *question, uint8_t code, uint8_t out[static DNS_REPLY_MOST]);
/*
 * Calls `found` with each address among the answers and the seconds for which it holds. Returns false when the message is
 * malformed.
 */
bool dns_addresses(const uint8_t *message, size_t length, const struct dns_question *question,
                   void (*found)(struct in_addr address, uint32_t seconds, void *data), void *data);
