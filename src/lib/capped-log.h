/*
 * A log that somebody else fills, such as a guest: one file that never has more than `most` bytes. It keeps its first `head`
 * bytes and its end. When it is full, the older half of what is between them is left out, and a line there says how many bytes
 * have been left out so far.
 *
 *         struct capped_log log = CAPPED_LOG_INIT;
 *
 *         if (capped_log_open(&log, fd, HEAD_BYTES, MOST_BYTES, err) < 0)
 *                 return -1;
 *         capped_log_write(&log, data, length, err);
 *
 * Only the descriptor is used, so the program may have given up access to all paths. A reader that follows the file sees it
 * become shorter.
 */
#pragma once

#include <stdint.h>

#include "lib/error.h"

/* `most` is at least `head` plus this. */
#define CAPPED_LOG_LEAST 1024

struct capped_log {
        int fd; /* borrowed; readable and writable */
        int64_t head, most;
        int64_t size;
        int64_t left_out; /* bytes; 0 = the file is whole */
};

#define CAPPED_LOG_INIT                                                                                                        \
        {                                                                                                                      \
                .fd = -1                                                                                                       \
        }
/* Empties a file that already has content. */
int capped_log_open(struct capped_log *log, int fd, int64_t head, int64_t most, struct error **err);
/* -1 when the file can't be written: it then has less than it should keep, and the caller may try again. */
int capped_log_write(struct capped_log *log, const void *data, size_t length, struct error **err);
