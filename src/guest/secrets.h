/*
 * A project's secrets in its guest. They go over ssh's stdin into a tmpfs that is never swapped (guest/session/secrets.sh says
 * where each one is), and stay there until the VM stops.
 */
#pragma once

#include "guest/session.h"
#include "host/secret.h"

struct secrets_item {
        bool environment; /* `name` is an ID, and `value` has KEY=VALUE pairs ended by NULs */
        const char *name;
        const struct secret *value;
};

/* Gets the mark of the secrets that were loaded since the VM was started, as secrets_load() was given it. Owned by the caller;
 * "" = none. */
int secrets_mark(const struct vm *vm, char **mark, struct error **err);
/* Replaces all secrets that are there. `mark` is a word. */
int secrets_load(const struct vm *vm, const struct secrets_item *items, size_t count, const char *mark, struct error **err);
int secrets_clear(const struct vm *vm, struct error **err);
/* Adds one more secret that no program is told of, and then has the guest write to its disk all that it had yet to write. */
int secrets_plant(const struct vm *vm, const struct secret *value, struct error **err);
int secrets_unplant(const struct vm *vm, struct error **err);
