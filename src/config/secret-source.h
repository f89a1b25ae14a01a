/*
 * Where a project's secret comes from: turns the text for it in projects.toml into the command that prints it. Pure.
 *
 *         op://VAULT/ITEM/FIELD   1Password: op read
 *         pass:PATH               pass: the first line of the entry
 *         file:PATH               decrypted by age (*.age) or sops; sops may pick a key: file:PATH#KEY. ~/ is the home
 *         keychain:ITEM           macOS: security, the generic password of that service
 *         env:NAME                the environment of `machine`
 *         command:PROGRAM ARG…    what it prints, without a shell; words may be in quotes
 */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"

struct secret_source {
        const char *provider; /* for people: "1Password", "pass", "age", "sops", "keychain", "environment", "command"; static */
        struct strv argv;     /* empty for the environment */
        char *variable;       /* of the environment; else NULL */
        bool first_line;      /* only the first line counts */
};

#define SECRET_SOURCE_INIT                                                                                                     \
        {                                                                                                                      \
                .argv = STRV_INIT                                                                                              \
        }
void secret_source_clear(struct secret_source *source);

/* Fails with an ERROR_CONFIG; when `text` has none of the forms, the hint lists them. `home` stands for ~ (NULL: none). */
int secret_source_parse(const char *text, const char *home, struct secret_source *out, struct error **err);
/* May a secret have this name? It becomes a variable and a file. */
bool secret_name_valid(const char *name);
/* Is this the ID of a 1Password Environment? */
bool secret_environment_valid(const char *id);
