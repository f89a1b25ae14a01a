/*
 * Which .machine.toml files the user trusts: $XDG_STATE_HOME/machine/trust.json, resolved path to SHA-256 of the content. A
 * changed file is not trusted. Written whole under a lock.
 */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"

enum trust { TRUST_UNKNOWN, TRUST_CHANGED, TRUST_GIVEN };

/*
 * `content` (checkout_tree_content(): what lies beside it counts too) must be the very bytes that will be acted on, so that
 * nobody can put others in their place after the check.
 */
int trust_get(const char *file, const void *content, size_t length, enum trust *out, struct error **err);
/* Records the content as it is now (`content`, the very bytes that were shown to the user). */
int trust_give(const char *file, const void *content, size_t length, struct error **err);
/* Takes trust back. A file that was never trusted is success. */
int trust_withdraw(const char *file, struct error **err);
/* Appends the paths of all files that were ever trusted, sorted. They may have changed since, or be gone. */
int trust_files(struct strv *files, struct error **err);
