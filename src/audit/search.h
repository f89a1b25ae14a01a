/*
 * Looks for a secret, byte by byte, in all files of a folder.
 */
#pragma once

#include <stdint.h>

#include "host/secret.h"

struct search {
        const struct secret *wanted; /* of 1 byte to SECRET_MOST */
        char *found;                 /* the first file that has it; NULL = none. Owned by the caller */
        int64_t bytes;               /* looked at, without holes, which are most of a disk */
};

/* Searches all files in `folder` and below, without following symlinks. A folder that isn't there has no files. Stops at the
 * first file that has the secret. */
int search_folder(const char *folder, struct search *search, struct error **err);
