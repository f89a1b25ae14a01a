/*
 * All that goes into a base layer, and the key that is its hash. Read once: what is hashed here is what base_build() uses.
 */
#pragma once

#include <stdint.h>

#include "lib/error.h"
#include "lib/strv.h"

/* A file of guest/ that ends up in the image or makes it. Only the owner's execute bit of its mode counts. */
struct base_file {
        char *name; /* inside guest/ */
        bool executable;
        char *content;
        size_t length;
};

struct base_inputs {
        const char *suite, *architecture; /* as Debian names them; static */
        int64_t disk_bytes;
        struct strv packages; /* what every base has */
        struct strv further;  /* what a recipe wants besides; sorted, none of `packages` */
        char *user;
        struct base_file *files;
        size_t file_count;
        char *key;
        char *plain; /* the key without `further` */
};

#define BASE_INPUTS_INIT                                                                                                       \
        {                                                                                                                      \
                0                                                                                                              \
        }
void base_inputs_clear(struct base_inputs *inputs);

/* `further`: names of Debian's packages, in any order; NULL = none. A user name that Debian wouldn't take is ERROR_CONFIG; an
 * architecture that we have no kernel for, ERROR_ENGINE. */
int base_inputs_collect(const char *user, const struct strv *further, struct base_inputs *out, struct error **err);
