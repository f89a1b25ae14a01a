/*
 * Chooses what an instance is made from: the project's `image`; else the recipe's layer that the record names; else the base
 * image, the same as with QEMU; else the system's image (system_image), where no base image can be built and none was copied
 * to. The first and the last were made by somebody else: our script makes guests of them at their first boot (image/adopt.h).
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
        struct lock in_use; /* while it is held nobody can remove the layer */
};

#define IMAGE_INIT                                                                                                             \
        {                                                                                                                      \
                .layer = LAYER_INIT, .in_use = LOCK_INIT                                                                       \
        }
void image_clear(struct image *image);
/* Takes the place of a layer's key for an image that somebody else made. Owned by the caller. */
char *image_key(const char *location, const char *digest);
/* Builds the base image when it is missing, with progress. `record` must live as long as `out`. */
int image_choose(const struct vm_record *record, struct event_sink *events, struct image *out, struct error **err);

/*
 * Fails when Lima must not open this disk of an instance. Lima isn't confined and opens what a qcow2 disk names, so the disk
 * must name nothing. A raw disk (*raw, which may be NULL) has no header. If its guest has written such a header into it, the
 * disk is checked as what Lima would take it for. `most`: the bytes that its guest may have.
 */
int image_check_disk(const char *path, int64_t most, bool *raw, struct error **err);
