/*
 * Checks whether a host's key has signed something. Knows the keys that OpenSSH's servers have: Ed25519 (RFC 8709), ECDSA with
 * a NIST curve (RFC 5656) and RSA of 2048 bits or more with SHA-2 (RFC 8332). SHA-1 proves nothing. Pure.
 */
#pragma once

#include "keys/piece.h"

/* `key` and `signature` are as sent, `data` is what was signed. What isn't understood is not a proof. */
bool signature_proves(struct piece key, struct piece signature, struct piece data);
