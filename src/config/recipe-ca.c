#include "config/recipe-ca.h"

#include "config/recipe-steps.h"
#include "host/ca.h"
#include "lib/strv.h"

#define CA_FILE "host-ca.pem"

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
        _cleanup_(strv_clear) struct strv files = STRV_INIT;

        if (ca_read(&bundle, &files, err) < 0)
                return -1;
        recipe_step_add_file(step, CA_FILE, bundle.buf, bundle.len, false);
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

bool recipe_ca_has_host(const struct recipe *recipe)
{
        const struct recipe_part *part = recipe->part_count > 0 ? &recipe->parts[0] : NULL;

        for (size_t i = 0; part && i < part->step_count; i++)
                if (part->steps[i].kind == RECIPE_CA && part->steps[i].file_count > 0)
                        return true;
        return false;
}
