/*
 * Everything that goes into a base layer, and the layer's key, which is its hash. It is read once: base_build() uses exactly
 * what was hashed here.
 */
#pragma once

#include <stdint.h>

#include "lib/error.h"
#include "lib/strv.h"

/* A file of guest/ that goes into the image or helps to make it. Of its mode only the owner's execute bit counts. */
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
        struct strv further;  /* what a recipe asks for besides; sorted, without those in `packages` */
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

/* `further`: names of Debian packages, in any order; NULL = none. ERROR_CONFIG for a user name that Debian wouldn't take;
 * ERROR_ENGINE for an architecture that we have no kernel for. */
int base_inputs_collect(const char *user, const struct strv *further, struct base_inputs *out, struct error **err);
