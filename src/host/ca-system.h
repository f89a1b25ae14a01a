/* Where each system keeps the CA certificates that it trusts: ca-linux.c, ca-darwin.c. */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"

/* A folder into which an administrator puts certificates. */
struct ca_anchors {
        const char *folder;
        const char *suffix; /* of the files that count there; NULL = all do */
        const char *update; /* the command that brings them into use */
};

extern const char *const ca_bundles[];       /* the file with all certificates: the first that is there. NULL-ended */
extern const char *const ca_shipped[];       /* what the system itself brings: files, and folders of files. NULL-ended */
extern const struct ca_anchors ca_anchors[]; /* ends with one without a folder */
extern const char *const ca_how_to_add;      /* how a certificate gets among those that this system trusts */
extern const char *const ca_keychain;        /* to which certificates are added; NULL = this system has none */

/* Adds the bodies (ca_add_bodies()) of those certificates of the keychain that the system trusts. */
int ca_read_keychain(struct strv *bodies, struct error **err);
