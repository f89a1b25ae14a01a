/*
 * macOS keeps what was added (by hand, or by a company's device management) in the System keychain, together with certificates
 * that only name this Mac. /etc/ssl/cert.pem has Apple's alone. Which of the added ones count as CAs, `security verify-cert`
 * knows: Homebrew asks it the same way for its bundle (its formula ca-certificates). Not run on a Mac yet.
 */
#include "host/ca-system.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/nest.h"
#include "lib/process.h"

#define BEGIN       "-----BEGIN CERTIFICATE-----"
#define END         "-----END CERTIFICATE-----"
#define SECURITY    "/usr/bin/security"
#define SECURITY_MS 10000

const char *const ca_bundles[] = { "/etc/ssl/cert.pem", NULL };
const char *const ca_shipped[] = { "/etc/ssl/cert.pem", NULL };
const struct ca_anchors ca_anchors[] = { { 0 } };
const char *const ca_how_to_add =
        "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain FILE, and name FILE in SSL_CERT_FILE";
const char *const ca_keychain = "/Library/Keychains/System.keychain";

/* security(1): -l = it may be a CA, -L = only what is on this Mac, -R offline = without asking whether it was revoked. */
static bool is_trusted(const char *file)
{
        const char *const argv[] = { SECURITY, "verify-cert", "-l", "-L", "-R", "offline", "-p", "ssl", "-c", file, NULL };

        return process_check(&(struct process_spec){ .argv = argv, .timeout_ms = SECURITY_MS }, NULL, NULL) == 0;
}

/* Asks about each by itself. */
static int add_trusted(const char *folder, const char *all, struct strbuf *out, struct error **err)
{
        _cleanup_(freep) char *file = path_join(folder, "ca.pem");

        for (const char *at = all; (at = strstr(at, BEGIN));) {
                const char *end = strstr(at, END);

                if (!end)
                        return 0;
                end += strlen(END);
                _cleanup_(freep) char *one = xasprintf("%.*s\n", (int)(end - at), at);

                if (file_write_text(file, one, 0600, err) < 0)
                        return -1;
                if (is_trusted(file))
                        strbuf_adds(out, one);
                at = end;
        }
        return 0;
}

int ca_read_keychain(struct strbuf *out, struct error **err)
{
        const char *const argv[] = { SECURITY, "find-certificate", "-a", "-p", ca_keychain, NULL };
        _cleanup_(freep) char *cache = paths_cache(NULL);
        _cleanup_(nest_clear) struct nest nest = NEST_INIT;
        _cleanup_(strbuf_clear) struct strbuf all = STRBUF_INIT;

        if (process_check(&(struct process_spec){ .argv = argv, .timeout_ms = SECURITY_MS }, &all, err) < 0 ||
            file_make_folders(cache, 0700, err) < 0 || nest_make(cache, "ca.", &nest, err) < 0)
                return -1;
        return add_trusted(nest.folder, all.buf, out, err);
}
