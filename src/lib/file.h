/*
 * Whole files: read with a limit, and written so that a reader or a crash sees the old or the new file and nothing in between.
 * Folders: made with their parents, and removed with their content, never leaving them through a symlink.
 * Everything opened here is O_CLOEXEC.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/* Appends the content of `path`; more than `limit` bytes is an error. A missing file is ERROR_NOT_FOUND. */
int file_read(const char *path, size_t limit, struct strbuf *out, struct error **err);
int file_read_fd(int fd, const char *name, size_t limit, struct strbuf *out, struct error **err);

/*
 * Writes to a temporary name beside `path`, fsyncs, renames, and fsyncs the folder. A symlink at `path` is replaced, not
 * followed. What a program that was killed has left under such a name is removed by the next one that writes in the folder.
 */
int file_write(const char *path, const void *data, size_t length, mode_t mode, struct error **err);
int file_write_text(const char *path, const char *text, mode_t mode, struct error **err);
/*
 * Like file_write(), but an existing file is an error (kind ERROR_FAILED, message "'…' exists"). Race-free (link or
 * RENAME_NOREPLACE).
 */
int file_write_new(const char *path, const void *data, size_t length, mode_t mode, struct error **err);
/* Writes a new file that nobody needs after a crash: under its own name, and without fsync. An existing file is an error. */
int file_write_scratch(const char *path, const char *text, mode_t mode, struct error **err);
/* rename() with fsync of the folder(s). */
int file_rename(const char *from, const char *to, struct error **err);
int file_sync_folder(const char *folder, struct error **err);
/* Gives the file another name, which must be free; where that can't be, because it is on another file system, makes a copy. */
int file_link_or_copy(const char *from, const char *to, struct error **err);

bool file_exists(const char *path); /* anything at all, a dangling symlink too */
bool file_is_folder(const char *path);

/* Makes `path` and its missing parents. An existing folder is success; its mode is left alone. */
int file_make_folders(const char *path, mode_t mode, struct error **err);
/* The same, but fails unless the last folder is then a real folder of ours with no rights for others (0700). */
int file_make_private_folder(const char *path, struct error **err);
/* Removes a file, or a folder with everything in it (openat, O_NOFOLLOW). A missing one is success. */
int file_remove(const char *path, struct error **err);
/* Appends the names in a folder, sorted, without "." and "..". A missing folder is ERROR_NOT_FOUND. */
int file_list(const char *folder, struct strv *names, struct error **err);

/* main() names the folders that hold our own files, so that file_hint() gives no advice about anybody else's. */
void file_set_ours(const struct strv *folders);
/*
 * Adds a hint to the error of a failed system call: the command that makes the file usable again, when `failure` (errno) says
 * that its owner, its mode or something else under its name is in the way. Such a command moves or opens up, and never removes.
 * Returns -1. Every function above does this for its own failures.
 */
int file_hint(struct error **err, const char *path, int failure);
/* The command that moves a file or folder out of the way, to PATH.off or PATH.off-2, …, whichever is free. For hints; owned by
 * the caller. */
char *file_aside_command(const char *path);
/* Renames a file or folder to PATH.damaged, or PATH.damaged-2, … *kept (may be NULL) becomes the new name, owned by the
 * caller. */
int file_set_aside(const char *path, char **kept, struct error **err);

/* "folder/name". Owned by the caller. */
char *path_join(const char *folder, const char *name);
/* The last part ("a/b/" -> "b"), the part before it ("a/b" -> "a", "b" -> "."). Owned by the caller. */
char *path_base(const char *path);
char *path_folder(const char *path);
