/*
 * What exists only in a guest, saved as one file of this computer, and brought back into a guest (guest/session/work.sh and
 * work-unpack.sh).
 *
 * The file is a tar archive in Zstandard's format (RFC 8878), as the guest made it, and one skippable frame of ours: "machine
 * work 1 " and the SHA-256 of all that comes before the frame. `tar --zstd -tf FILE` lists it. Nothing here unpacks it: it is a
 * stranger's archive, and only a guest reads it.
 */
#pragma once

#include "lib/error.h"
#include "lib/hash.h"
#include "lib/strv.h"
#include "vm/vm.h"

#define ARCHIVE_SUFFIX ".tar.zst"

struct archive {
        char *path;
        int fd;
        int64_t length; /* of the guest's part, in bytes */
        char *id;       /* its checksum */
};

#define ARCHIVE_INIT                                                                                                           \
        {                                                                                                                      \
                .fd = -1                                                                                                       \
        }
void archive_clear(struct archive *archive);

/* Fails when `path` already exists, or when the folder for it is missing. */
int archive_check_place(const char *path, struct error **err);
/*
 * Saves what exists only in the running VM as the new file `path` (0600). It gets its name only when all of it is there and on
 * the disk; when this fails, or ends by a signal, nothing is left of it. Fills in its size. What is larger than the VM's disk
 * is an error.
 */
int archive_save(const struct vm *vm, const char *path, int64_t *bytes, struct error **err);
/* Opens it and checks that it is whole. */
int archive_open(const char *path, struct archive *out, struct error **err);
/*
 * Unpacks it in the running VM: first all of it where nothing else is, and then each thing goes to its place. A killed run is
 * finished by calling again. Adds to `aside` the paths whose place something else has.
 */
int archive_unpack(const struct vm *vm, const struct archive *archive, struct strv *aside, struct error **err);
