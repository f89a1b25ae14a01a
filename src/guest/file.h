/*
 * Reads and writes single files below a folder in the guest, for a caller that is not to leave that folder by accident: a path
 * that leads out of it, also by a link in the guest, is refused (guest/session/file.sh). `path` is relative to the folder, or
 * absolute and below it.
 */
#pragma once

#include "guest/session.h"

/* Appends at most `limit` bytes from `offset` on. Fails with ERROR_NOT_FOUND, and a sentence, when it is not such a file. */
int file_in_guest_read(const struct vm *vm, const char *folder, const char *path, int64_t offset, int64_t limit,
                       struct strbuf *out, int64_t *size, struct error **err);
/* Replaces the file, or makes it with the folders that it needs. The old file is there until the new one is whole. */
int file_in_guest_write(const struct vm *vm, const char *folder, const char *path, const struct strbuf *content, bool *created,
                        struct error **err);
