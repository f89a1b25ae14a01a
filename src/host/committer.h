/*
 * Who commits on this computer, and by which ssh key: what git in a guest is to say and to sign with. Only public keys are
 * read.
 *
 *   name, e-mail   GIT_NAME and GIT_EMAIL; else user.name and user.email of git's configuration (the user's and the system's,
 *                  no repo's)
 *   signing key    GIT_SIGNING_KEY, a public key; else what `op read` says for OP_SIGNING_KEY_REF (1Password); else the file
 *                  GIT_SIGNING_PUBKEY_FILE; else user.signingkey: a public key, the same behind "key::", or with gpg.format =
 *                  ssh a file, "~" expanded. Of a private key's file the one beside it that ends in .pub is read.
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
/* Fails when git can't be asked. A key that can't be used is no failure: unsigned_why says so. */
int committer_find(struct committer *out, struct error **err);
void committer_clear(struct committer *committer);

/* "TYPE BASE64" of a public key's line (comment and white space around it left out); NULL when it is none. Owned by the caller.
 */
char *committer_parse_key(const char *line);
