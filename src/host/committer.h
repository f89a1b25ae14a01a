/*
 * Who commits on this computer, and with which ssh key: the name, e-mail and signing key that git in a guest uses. Only public
 * keys are read.
 *
 *   name, e-mail   GIT_NAME and GIT_EMAIL; else user.name and user.email of git's configuration (the user's and the system's,
 *                  not a repo's)
 *   signing key    GIT_SIGNING_KEY, a public key; else what `op read` says for OP_SIGNING_KEY_REF (1Password); else the file
 *                  GIT_SIGNING_PUBKEY_FILE; else user.signingkey: a public key, alone or after "key::", or with gpg.format =
 *                  ssh a file ("~" is expanded). For a private key's file, the file beside it that ends in .pub is read.
 *
 * Source: git-config(1), user.signingKey; ssh-keygen(1), ALLOWED SIGNERS.
 */
#pragma once

#include "lib/error.h"

struct committer {
        char *name, *email; /* NULL = unknown */
        char *signing_key;  /* "TYPE BASE64"; NULL = none */
        char *unsigned_why; /* why there is none, for people; NULL where there is one */
};

#define COMMITTER_INIT                                                                                                         \
        {                                                                                                                      \
                0                                                                                                              \
        }
/* Fails when git can't be asked. A key that can't be used is not a failure: unsigned_why says so. */
int committer_find(struct committer *out, struct error **err);
void committer_clear(struct committer *committer);

/*
 * The "TYPE BASE64" of a public key's line, without comment and white space around it; NULL when it is not a public key. Owned
 * by the caller.
 */
char *committer_parse_key(const char *line);
