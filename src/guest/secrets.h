/*
 * A project's secrets in its guest: over ssh's stdin into a tmpfs that is never swapped (guest/session/secrets.sh says where
 * each lies). They are there until the VM stops.
 */
#pragma once

#include "guest/session.h"
#include "host/secret.h"

struct secrets_item {
        bool environment; /* `name` is an ID, and `value` KEY=VALUE pairs ended by NULs */
        const char *name;
        const struct secret *value;
};

/* Which were loaded since the VM was started: what secrets_load() was told. Owned by the caller; "" = none. */
int secrets_mark(const struct vm *vm, char **mark, struct error **err);
/* Replaces all that are there. `mark` is a word. */
int secrets_load(const struct vm *vm, const struct secrets_item *items, size_t count, const char *mark, struct error **err);
int secrets_clear(const struct vm *vm, struct error **err);
/* One more beside them, which no program is told of, and then all that the guest has yet to write to its disk. */
int secrets_plant(const struct vm *vm, const struct secret *value, struct error **err);
int secrets_unplant(const struct vm *vm, struct error **err);
