#include "config/recipe-ca.h"

#include "config/recipe-steps.h"
#include "lib/file.h"

#define BUNDLE_MOST (4 << 20)

/* The host's bundle: what its own programs are told to use, else where systems keep it. NULL with an error. */
static const char *find_bundle(struct error **err)
{
        static const char *const variables[] = { "SSL_CERT_FILE", "CURL_CA_BUNDLE" };
        static const char *const places[] = {
                "/etc/ssl/certs/ca-certificates.crt",
                "/etc/pki/tls/certs/ca-bundle.crt",
                "/etc/ssl/ca-bundle.pem",
                "/etc/ssl/cert.pem",
        };

        for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
                const char *set = getenv(variables[i]);

                if (set && *set)
                        return set;
        }
        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                if (file_exists(places[i]))
                        return places[i];
        error_set(err, ERROR_CONFIG, "'trust_host_ca' is set, but the host's CA certificates can't be found");
        error_hint(err, "set SSL_CERT_FILE to the file that has them");
        return NULL;
}

/* Adds "http_proxy=…" in lower and upper case, because programs read either. A password must not get into a layer. */
static int add_proxy(struct recipe_step *step, const char *name, const char *value, struct error **err)
{
        _cleanup_(freep) char *lower = xasprintf("%s=%s", name, value);
        _cleanup_(freep) char *upper = xstrdup(lower);

        if (strchr(value, '@') || strpbrk(value, "\r\n")) {
                error_set(err, ERROR_CONFIG, "the environment's %s has a user or password, which must not get into a layer",
                          name);
                return error_hint(err, "set 'proxy' in config.toml to a URL without them");
        }
        for (char *c = upper; *c != '='; c++)
                if (*c >= 'a' && *c <= 'z')
                        *c = (char)(*c - 'a' + 'A');
        recipe_step_add_value(step, "proxy", lower);
        recipe_step_add_value(step, "proxy", upper);
        return 0;
}

static int add_host_proxies(struct recipe_step *step, struct error **err)
{
        static const char *const names[][2] = {
                { "http_proxy", "HTTP_PROXY" },
                { "https_proxy", "HTTPS_PROXY" },
                { "no_proxy", "NO_PROXY" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const char *lower = getenv(names[i][0]), *upper = getenv(names[i][1]);
                const char *value = lower && *lower ? lower : upper;

                if (value && *value && add_proxy(step, names[i][0], value, err) < 0)
                        return -1;
        }
        return 0;
}

static int add_bundle(struct recipe_step *step, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf bundle = STRBUF_INIT;
        const char *file = find_bundle(err);

        if (!file)
                return -1;
        if (file_read(file, BUNDLE_MOST, &bundle, err) < 0)
                return error_wrap(err, "cannot read the host's CA certificates");
        if (!strstr(bundle.buf, "-----BEGIN CERTIFICATE-----"))
                return error_set(err, ERROR_CONFIG, "'%s' has no PEM certificate", file);
        recipe_step_add_file(step, "host-ca.pem", bundle.buf, bundle.len, false);
        return 0;
}

static int add_url(struct recipe_step *step, const char *url, struct error **err)
{
        return add_proxy(step, "http_proxy", url, err) < 0 || add_proxy(step, "https_proxy", url, err) < 0 ? -1 : 0;
}

static int fill(const struct settings *settings, struct recipe_step *step, struct error **err)
{
        const char *proxy = settings->proxy ? settings->proxy : "none";

        if (settings->trust_host_ca && add_bundle(step, err) < 0)
                return -1;
        if (streq(proxy, "none"))
                return 0;
        return streq(proxy, "host") ? add_host_proxies(step, err) : add_url(step, proxy, err);
}

int recipe_ca_add(const struct settings *settings, struct recipe_part *part, struct error **err)
{
        struct recipe_step *step;
        bool proxies;

        if (!settings)
                return 0;
        step = recipe_part_add(part, RECIPE_CA, recipe_kind_name(RECIPE_CA), 0, 0);
        if (fill(settings, step, err) < 0)
                return -1;
        proxies = recipe_step_value(step, "proxy") != NULL;
        step->title = xstrdup(!proxies               ? "the host's CA certificates"
                              : step->file_count > 0 ? "the host's CA certificates and proxies"
                                                     : "proxies");
        if (!proxies && step->file_count == 0) {
                recipe_step_clear(step);
                part->step_count--;
        }
        return 0;
}
