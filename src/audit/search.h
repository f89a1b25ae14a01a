/*
 * Is a secret in a file? Looked for byte by byte in all that a folder has.
 */
#pragma once

#include <stdint.h>

#include "host/secret.h"

struct search {
        const struct secret *wanted; /* of 1 byte to SECRET_MOST */
        char *found;                 /* the first file that has it; NULL = none. Owned by the caller */
        int64_t bytes;               /* looked at: holes are left out, for a disk is mostly that */
};

/* All files in `folder` and below, symlinks not followed. A folder that isn't there has none. Goes no further once one is
 * found. */
int search_folder(const char *folder, struct search *search, struct error **err);
