/* A checkout with a .machine.toml: where it is, and the project that the file makes of it. */
#pragma once

#include "config/project.h"

/*
 * Folder (absolute, resolved) of the nearest .machine.toml at or above `folder`, or NULL when there is none. For folders inside
 * $HOME it doesn't look above $HOME. Owned by the caller.
 */
char *checkout_find(const char *folder);
/* The command that trusts its files, which names the checkout where the current folder doesn't tell. For hints; owned by the
 * caller. */
char *checkout_trust_command(const char *checkout);
/*
 * Reads CHECKOUT/.machine.toml: the keys of a project table, without the table, plus `name`. Doesn't ask for trust. Defaults:
 *
 *         name              from the folder
 *         repos             the checkout's git origin; "." if it has none, or if that is a folder of the host
 *         shell, profiles   from `projects`; built-in ones if that is NULL
 */
int checkout_read(const char *checkout, const struct projects *projects, struct project *out, struct error **err);
/* The same from a text, for tests and the fuzzer. git isn't asked: without `repos` there are none. */
int checkout_parse(const char *text, size_t length, const char *file, const char *checkout, const struct projects *projects,
                   struct project *out, struct error **err);
/* Fills in the repos that a .machine.toml without `repos` has. */
int checkout_add_origin(struct project *project, struct error **err);
