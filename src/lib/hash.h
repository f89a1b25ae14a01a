/*
 * SHA-256 over parts, by libsodium. Every part is preceded by its length, so that ("ab", "c") and ("a", "bc") differ.
 */
#pragma once

#include <sodium.h>

#include "lib/error.h"

#define HASH_HEX_LENGTH 64

struct hash {
        crypto_hash_sha256_state state;
};

void hash_init(struct hash *hash);
void hash_add(struct hash *hash, const void *data, size_t length);
void hash_add_text(struct hash *hash, const char *text); /* NULL counts as a part of its own kind */
/* Adds the content of a file (of any size), but not its name or mode. */
int hash_add_file(struct hash *hash, const char *path, struct error **err);
/* 64 hexadecimal digits. Owned by the caller. */
char *hash_hex(struct hash *hash);

/* Plain SHA-256 of a text, as `sha256sum` prints it. Owned by the caller. */
char *hash_text(const void *data, size_t length);
int hash_file(const char *path, char **hex, struct error **err);
/*
 * The fingerprint of a public key as ssh shows it: "SHA256:" and the digest in base64 without its padding. Owned by the caller.
 * Source: ssh-keygen(1), -l.
 */
char *hash_fingerprint(const void *blob, size_t length);
