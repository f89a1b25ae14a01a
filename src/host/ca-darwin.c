/*
 * macOS keeps what was added (by hand, or by a company's device management) in the System keychain, together with certificates
 * that only name this Mac. /etc/ssl/cert.pem has Apple's alone. Which of the added ones count as CAs, `security verify-cert`
 * knows: Homebrew asks it the same way for its bundle (its formula ca-certificates). Not run on a Mac yet.
 */
#include "host/ca-system.h"
#include "host/ca.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/nest.h"
#include "lib/process.h"

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
static int add_trusted(const char *folder, const struct strv *all, struct strv *bodies, struct error **err)
{
        _cleanup_(freep) char *file = path_join(folder, "ca.pem");

        for (size_t i = 0; i < all->count; i++) {
                _cleanup_(strbuf_clear) struct strbuf pem = STRBUF_INIT;

                ca_add_pem(&pem, all->items[i]);
                if (file_write(file, pem.buf, pem.len, 0600, err) < 0)
                        return -1;
                if (is_trusted(file))
                        strv_add(bodies, all->items[i]);
        }
        return 0;
}

int ca_read_keychain(struct strv *bodies, struct error **err)
{
        const char *const argv[] = { SECURITY, "find-certificate", "-a", "-p", ca_keychain, NULL };
        _cleanup_(freep) char *cache = paths_cache(NULL);
        _cleanup_(nest_clear) struct nest nest = NEST_INIT;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv all = STRV_INIT;

        if (process_check(&(struct process_spec){ .argv = argv, .timeout_ms = SECURITY_MS }, &said, err) < 0 ||
            file_make_folders(cache, 0700, err) < 0 || nest_make(cache, "ca.", &nest, err) < 0)
                return -1;
        ca_add_bodies(said.buf, said.len, &all);
        return add_trusted(nest.folder, &all, bodies, err);
}
