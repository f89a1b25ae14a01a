#include "host/ca-system.h"

const char *const ca_bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
        NULL,
};

const char *const ca_shipped[] = {
        "/usr/share/ca-certificates/mozilla",                            /* Debian, Ubuntu, Alpine */
        "/usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit",        /* Fedora */
        "/usr/share/ca-certificates/trust-source/mozilla.trust.p11-kit", /* Arch */
        "/usr/share/pki/trust/ca-certificates-mozilla.trust.p11-kit",    /* openSUSE */
        NULL,
};

/* update-ca-certificates(8), update-ca-trust(8) */
const struct ca_anchors ca_anchors[] = {
        { "/usr/local/share/ca-certificates", ".crt", "sudo update-ca-certificates" },
        { "/etc/pki/ca-trust/source/anchors", NULL, "sudo update-ca-trust" },
        { "/etc/ca-certificates/trust-source/anchors", NULL, "sudo update-ca-trust" },
        { "/etc/pki/trust/anchors", NULL, "sudo update-ca-certificates" },
        { 0 },
};

const char *const ca_how_to_add =
        "put it into /usr/local/share/ca-certificates as NAME.crt, then: sudo update-ca-certificates (Fedora, Arch: trust anchor)";

const char *const ca_keychain = NULL;

int ca_read_keychain(struct strv *bodies _unused_, struct error **err _unused_)
{
        return 0;
}
