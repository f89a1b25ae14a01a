/* The server's name in the first message of TLS, as it comes in pieces. Sources: RFC 8446 (4.1.2, 5.1), RFC 6066 (3). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/egress-rule.h"

#define HELLO_MOST (16 << 10) /* bytes; longer ones are refused */

/*
 * What `length` bytes from a connection's beginning say: 1 = the message is whole, and `name` is the server's, "" where it
 * names none or one that no rule could; 0 = more is needed; -1 = this is no ClientHello.
 */
int hello_read(const uint8_t *data, size_t length, char name[static EGRESS_NAME_MOST + 1]);
