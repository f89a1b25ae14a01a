/*
 * Has a host's key signed something? Of keys that OpenSSH's servers have: Ed25519 (RFC 8709), ECDSA with a NIST curve (RFC
 * 5656) and RSA of 2048 bits or more with SHA-2 (RFC 8332). SHA-1 proves nothing. Pure.
 */
#pragma once

#include "keys/piece.h"

/* `key` and `signature` as they are sent, `data` what was signed. Whatever isn't understood is no proof. */
bool signature_proves(struct piece key, struct piece signature, struct piece data);
