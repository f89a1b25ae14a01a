/*
 * Downloads files from https URLs with the curl program, and keeps each once, under its SHA-256, in
 * $XDG_CACHE_HOME/machine/downloads.
 *
 *         _cleanup_(freep) char *path = NULL;
 *         _cleanup_(freep) char *sha256 = NULL;
 *         struct download download = { .url = url, .sha256 = expected, .mirror_from = …, .mirror_to = … };
 *
 *         if (download_get(&download, events, &path, &sha256, err) < 0) …
 *
 * A cached file is hashed again before it is used, and thrown away when the hash isn't its name. curl reads no configuration
 * file; the proxies of the environment, SSL_CERT_FILE and CURL_CA_BUNDLE count as for every curl. A hash belongs to the
 * original URL, wherever the bytes came from.
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"
#include "lib/strv.h"

#define DOWNLOAD_BYTES_MOST (INT64_C(4) << 30)

struct download {
        const char *url;
        const char *sha256; /* as the recipe or machine.lock has it; NULL = any, and the caller records what came */
        const struct strv *mirror_from, *mirror_to; /* prefixes of URLs and what replaces each; NULL = none */
        int64_t bytes_most;                         /* 0 = DOWNLOAD_BYTES_MOST */
        int timeout_ms;                             /* for all of it; 0 = as long as bytes come, 12 h at most */
};

/*
 * Gives the file's path and its hash (both owned by the caller). ERROR_CONFIG with both hashes when the file isn't the expected
 * one (nothing is then kept); ERROR_FAILED when it can't be downloaded.
 */
int download_get(const struct download *download, struct event_sink *events, char **path, char **sha256, struct error **err);
/* Where `url` is really fetched from: the mirror of its longest prefix, or itself. Owned by the caller. */
char *download_source(const struct download *download);
