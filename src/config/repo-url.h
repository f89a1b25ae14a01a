/* The URLs of repos: which may go to git, and the folders that their clones get. */
#pragma once

#include "lib/error.h"

/*
 * May this go to git as a URL? https://, ssh://, git+ssh://, user@host:path, host:path, git:// and (only with
 * MACHINE_ALLOW_FILE_URLS, for tests) file://. Never a leading dash (also of host or user), control characters, white space,
 * "::" transports, or a NUL. On success *host is the host without user and port, owned by the caller; `host` may be NULL.
 */
int repo_url_check(const char *url, char **host, struct error **err);
/* The folder name a clone gets: last segment without .git and trailing slashes. NULL when nothing usable is left. */
char *repo_url_name(const char *url);
/* The folder name that the checkout itself gets (`repos = ["."]`): its own, else `project` (may be NULL). Owned by the caller.
 */
char *repo_checkout_name(const char *checkout, const char *project);
