/*
 * The CA certificates that this computer's programs trust. This is the one place that decides which those are: ca_read() gives
 * what a guest gets with `trust_host_ca`, and ca_find_own() what of it did not come with this computer's system: the CA of a
 * network that inspects TLS, or a company's own.
 *
 * They are in the system's bundle, in what was added to its keychain (macOS), and in the files that the environment names for
 * programs: SSL_CERT_FILE, CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS.
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/*
 * Appends them as PEM: first the file that SSL_CERT_FILE or CURL_CA_BUNDLE names, or else the system's bundle, unchanged; then
 * the certificates that are in none but the other places. Adds the names of all files that were used to `files`. Fails when
 * there is no certificate.
 */
int ca_read(struct strbuf *out, struct strv *files, struct error **err);

/* A place with certificates of this computer's own. */
struct ca_place {
        char *path;           /* a file, or a keychain */
        const char *variable; /* of the environment, that names it; NULL = none does. Static */
        const char *update;   /* the command that brings them into use; NULL = they are in use. Static */
        char *trouble;        /* why it can't be read; NULL = it can */
        size_t count;         /* of own certificates in it that no earlier place has */
};

struct ca_own {
        struct ca_place *places;
        size_t place_count;
        struct strv bodies; /* of the own certificates in use: base64, without line ends */
};

#define CA_OWN_INIT                                                                                                            \
        {                                                                                                                      \
                .bodies = STRV_INIT                                                                                            \
        }
void ca_own_clear(struct ca_own *own);

/* Finds them. `root` is put in front of the system's own paths: "", except in tests, which then see no keychain. */
void ca_find_own(const char *root, struct ca_own *out);

/* What to do when this computer's own programs don't trust a CA. Owned by the caller. */
char *ca_advice(void);

/* Appends the body of each certificate in `data` (PEM, also amid other text; or one in DER) that the list doesn't have. */
void ca_add_bodies(const char *data, size_t length, struct strv *bodies);
/* Appends a body as a certificate in PEM. */
void ca_add_pem(struct strbuf *out, const char *body);
