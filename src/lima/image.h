/*
 * What an instance is made from: the base image, the same as with QEMU; or an image that somebody else made, which our script
 * makes a guest of at its first boot (image/adopt.h). Of those the project's `image`, else the one that the system has where no
 * base image can be built (system_image) and none was copied to. Where the record names a recipe's layer, that one.
 */
#pragma once

#include "image/layer.h"
#include "vm/record.h"

struct image {
        const char *location;        /* an absolute path or a URL */
        const char *digest;          /* "sha512:…", as Lima wants it; NULL = not to be checked */
        const char *kernel, *initrd; /* NULL = it starts by itself */
        int64_t bytes;               /* virtual size; 0 = not known */
        char *adoption;              /* shell text; NULL = it is a guest already */
        char *key;                   /* for record.base */
        struct layer layer;
        struct lock in_use; /* the layer doesn't go while it is held */
};

#define IMAGE_INIT                                                                                                             \
        {                                                                                                                      \
                .layer = LAYER_INIT, .in_use = LOCK_INIT                                                                       \
        }
void image_clear(struct image *image);
/* What stands for an image of somebody else's where a layer's key is asked for. Owned by the caller. */
char *image_key(const char *location, const char *digest);
/* The base image is built where it is missing, with progress. `record` has to stay as long as `out`. */
int image_choose(const struct vm_record *record, struct event_sink *events, struct image *out, struct error **err);
