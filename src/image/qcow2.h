/*
 * Checks the header of a qcow2 disk before any other program opens the disk. What a guest's QEMU has written may name any file
 * as the one that the disk stands on, or as the one that holds its data. Only a disk like those that we make passes: version 2
 * or 3, one file, the layer that we know below it, no feature that we don't ask for, and all tables inside the file.
 *
 *         const struct qcow2_wish wish = { .backing = layer->disk, .least = layer->disk_bytes, .most = record->disk_bytes };
 *
 *         if (qcow2_check(path, &wish, &bytes, err) < 0)
 *                 return -1;              // it must not be opened
 *
 * Source: QEMU's docs/interop/qcow2.txt.
 */
#pragma once

#include <stdint.h>

#include "lib/error.h"

/* Enough for every disk that we make: names and extensions are in the first cluster. */
#define QCOW2_HEAD_BYTES 65536

struct qcow2_header {
        int64_t bytes;        /* virtual size */
        char *backing;        /* the file that it stands on; NULL = none */
        char *backing_format; /* NULL = not given */
};

#define QCOW2_HEADER_INIT                                                                                                      \
        {                                                                                                                      \
                0                                                                                                              \
        }
void qcow2_header_clear(struct qcow2_header *header);

/* Pure. `head`: the first QCOW2_HEAD_BYTES of the file, or all of a shorter file; `file_bytes`: the length of the file. */
int qcow2_parse(const unsigned char *head, size_t length, int64_t file_bytes, struct qcow2_header *out, struct error **err);

/* Reads what the header of a disk says, without a wish: what is found may be a guest's invention. */
int qcow2_read(const char *path, struct qcow2_header *out, struct error **err);

struct qcow2_wish {
        const char *backing; /* it stands on exactly this file; NULL = on none */
        int64_t least, most; /* virtual size in bytes, `most` rounded up to a sector */
};
/*
 * Checks that the file is such a disk. *bytes (may be NULL) becomes its virtual size. Fails with ERROR_ENGINE, which says what
 * is wrong, for a symlink, a device or another disk. Nobody may have the file open for writing.
 */
int qcow2_check(const char *path, const struct qcow2_wish *wish, int64_t *bytes, struct error **err);
