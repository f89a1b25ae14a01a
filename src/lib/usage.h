/*
 * Adds up what files take on this computer's disks: the blocks that are allocated to them, not their lengths. A sparse file
 * counts with what it holds, and a file with several names counts once. Files that share blocks (reflinks, clonefile(2)) count
 * in full each: a file system doesn't tell by stat(2) what they share.
 *
 *         _cleanup_(usage_clear) struct usage usage = USAGE_INIT;
 *
 *         int64_t logs = usage_add(&usage, "…/blog/logs");
 *         int64_t rest = usage_add(&usage, "…/blog");       // without what was counted before
 */
#pragma once

#include <sys/types.h>

#include "lib/strv.h"

struct usage {
        struct usage_file *seen; /* sorted */
        size_t count, room;
        struct strv unread; /* the folders that could not be read */
};

#define USAGE_INIT                                                                                                             \
        {                                                                                                                      \
                .unread = STRV_INIT                                                                                            \
        }
void usage_clear(struct usage *usage);

/* The bytes of a file, or of a folder with all that is in it, that were not added before. Symlinks aren't followed. A missing
 * file has none. */
int64_t usage_add(struct usage *usage, const char *path);
/* The bytes of one file or folder, with nothing before it. What can't be read has none. */
int64_t usage_of(const char *path);
