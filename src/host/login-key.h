/*
 * Keys that exist only in the kernel's memory, in the keyring of this user. They are gone when this computer is restarted, and
 * never on a disk. Source: keyrings(7), user-keyring(7), keyctl(2).
 *
 * A kernel without keyrings, or a container that is not allowed to use them, has none: ERROR_FAILED. So has macOS for now.
 */
#pragma once

#include <stdint.h>

#include "lib/error.h"

#define LOGIN_KEY_BYTES 32

/* Makes a random key and keeps it under this name, in place of one that has it. */
int login_key_make(const char *name, uint8_t key[LOGIN_KEY_BYTES], struct error **err);
/* Keeps this key under another name, too. */
int login_key_put(const char *name, const uint8_t key[LOGIN_KEY_BYTES], struct error **err);
/* Returns 1 with the key, or 0 when there is none of that name. `key` may be NULL. */
int login_key_find(const char *name, uint8_t key[LOGIN_KEY_BYTES], struct error **err);
/* Succeeds when there is none. */
int login_key_forget(const char *name, struct error **err);
