/* Reads the server's name from TLS's first message, which may come in pieces. Sources: RFC 8446 (4.1.2, 5.1), RFC 6066 (3). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/egress-rule.h"

#define HELLO_MOST (16 << 10) /* bytes; longer ones are refused */

/*
 * Reads the first `length` bytes of a connection. Returns 1 when the message is whole: `name` is then the server's, "" when
 * the message names none; 0 when more is needed; -1 when this is not a ClientHello, or has a name that no rule can name.
 */
int hello_read(const uint8_t *data, size_t length, char name[static EGRESS_NAME_MOST + 1]);
