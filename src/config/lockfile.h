/*
 * machine.lock: what a recipe resolved to when it was first run, so that it resolves to the same from then on. It lies beside
 * the recipe and is written whole and sorted: it belongs in the repository, and its diff should read well. It keeps the
 * architectures apart:
 *
 *         [amd64.base]
 *         kernel = "6.12.48-1"
 *         suite = "trixie"
 *         [amd64.downloads]
 *         "https://example.org/fzf-amd64.tar.gz" = "9f86d0…"
 *         [amd64.versions."base/apt"]
 *         jq = "1.7.1-6"
 *
 * It calls a step PART/ID. Writers read, set and write under the lock of what they build; there is none here.
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"

enum lock_section { LOCK_BASE, LOCK_DOWNLOADS, LOCK_VERSIONS };

struct lock_entry {
        char *architecture;
        enum lock_section section;
        char *step;  /* "base/apt" for LOCK_VERSIONS; else "" */
        char *name;  /* "kernel", a URL, a package */
        char *value; /* a version, or a SHA-256 in hexadecimal digits */
};

struct lockfile {
        char *path;
        struct lock_entry *entries; /* sorted by, and unique in, everything but the value */
        size_t count;
};

#define LOCKFILE_INIT                                                                                                          \
        {                                                                                                                      \
                0                                                                                                              \
        }
void lockfile_clear(struct lockfile *lock);

/* A missing file is an empty one. Mistakes are file:line:column. */
int lockfile_read(const char *path, struct lockfile *out, struct error **err);
int lockfile_parse(const char *text, size_t length, const char *path, struct lockfile *out, struct error **err);
/* Appends the file's text. The same entries give the same text. */
void lockfile_text(const struct lockfile *lock, struct strbuf *out);
int lockfile_write(const struct lockfile *lock, struct error **err);

/* Returns NULL when there is none. `step` is "" except for LOCK_VERSIONS. Borrowed. */
const char *lockfile_get(const struct lockfile *lock, const char *architecture, enum lock_section section, const char *step,
                         const char *name);
/*
 * Adds or replaces. An architecture, step, name or value that a lock file can't have (empty, over 4096 bytes, control
 * characters) is ERROR_FAILED, because they may come from a guest.
 */
int lockfile_set(struct lockfile *lock, const char *architecture, enum lock_section section, const char *step, const char *name,
                 const char *value, struct error **err);
/* Drops the versions of a step (of all architectures), or everything if `step` is NULL. Returns how many entries went. */
size_t lockfile_drop(struct lockfile *lock, const char *step);
/* Drops the hash of a download (of all architectures). Returns how many entries went. */
size_t lockfile_drop_download(struct lockfile *lock, const char *url);
