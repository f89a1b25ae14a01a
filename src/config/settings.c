#include "config/settings.h"

#include "config/project-schema.h"
#include "host/paths.h"
#include "lib/file.h"

#define GIB (INT64_C(1) << 30)
#define TIB (INT64_C(1) << 40)

static int check_proxy(const char *text, struct error **err)
{
        if (streq(text, "none") || streq(text, "host"))
                return 0;
        if (!starts_with(text, "http://") && !starts_with(text, "https://")) {
                error_set(err, ERROR_CONFIG, "'%s' is not a proxy", text);
                return error_hint(err, "write \"none\", \"host\" for what the environment says, or an http:// URL");
        }
        if (!strchr(text, '@') && text[strcspn(text, " \t\r\n")] == '\0')
                return 0;
        error_set(err, ERROR_CONFIG, "the proxy has a user, a password or white space");
        return error_hint(err, "it would be stored in layers: use a proxy that needs none");
}

static bool is_prefix(const char *text, bool http)
{
        const char *host = starts_with(text, "https://")          ? text + strlen("https://")
                           : http && starts_with(text, "http://") ? text + strlen("http://")
                                                                  : "";

        return *host != '\0' && *host != '/' && !strchr(host, '@') && host[strcspn(host, " \t\r\n")] == '\0';
}

static void decode_mirror(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member,
                          void *object)
{
        struct settings *settings = object;
        const struct toml_value *value = &member->value;

        if (!is_prefix(member->key, false)) {
                schema_mistake(reader, member->line, member->column, "'%s' is not the beginning of an https URL", member->key);
        } else if (value->type != TOML_STRING || !is_prefix(value->string, true)) {
                schema_mistake(reader, value->line, value->column, "a mirror must be an http:// or https:// URL");
                schema_hint(reader, "write \"https://example.org/\" = \"https://mirror.example.com/\"");
        } else {
                strv_add(&settings->mirror_from, member->key);
                strv_add(&settings->mirror_to, value->string);
        }
}

static void decode_mirrors(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                           void *object)
{
        static const struct schema_key none[] = { { 0 } };
        static const struct schema mirrors = { .keys = none, .other = decode_mirror };

        if (value->type == TOML_TABLE)
                schema_decode_table(reader, &mirrors, value, object);
        else
                schema_wrong_type(reader, key, value, "a table");
}

static const struct schema_key keys[] = {
        {
                .name = "template_budget",
                .type = SCHEMA_SIZE,
                .offset = offsetof(struct settings, template_budget),
                .low = 0,
                .high = 64 * TIB,
                .fallback = "10 GiB",
                .summary =
                        "how much of the host's disk the memory of warm templates may take; the least recently used go first",
        },
        {
                .name = "memory_budget",
                .type = SCHEMA_SIZE,
                .offset = offsetof(struct settings, memory_budget),
                .low = 0,
                .high = 64 * TIB,
                .fallback = "no limit",
                .summary =
                        "how much memory running VMs may have together; the one idle for longest is parked before another starts",
        },
        {
                .name = "secret_timeout",
                .type = SCHEMA_INTEGER,
                .offset = offsetof(struct settings, secret_timeout),
                .low = 1,
                .high = 3600,
                .fallback = "120",
                .summary = "seconds that a program may take to print a secret, including the time you need to approve it",
        },
        {
                .name = "trust_host_ca",
                .type = SCHEMA_BOOL,
                .offset = offsetof(struct settings, trust_host_ca),
                .fallback = "`false`",
                .summary = "guests trust the CA certificates that the host trusts (for networks that inspect TLS)",
        },
        {
                .name = "proxy",
                .type = SCHEMA_STRING,
                .offset = offsetof(struct settings, proxy),
                .check = check_proxy,
                .fallback = "`none`",
                .summary = "proxy for guests: `none`, `host` (the environment's), or a URL without a password",
        },
        {
                .name = "mirrors",
                .type = SCHEMA_CUSTOM,
                .decode = decode_mirrors,
                .items = "table of URL prefixes",
                .fallback = "none",
                .summary = "where downloads come from instead of a recipe's URL; the longest prefix counts",
        },
        { 0 },
};

const struct schema settings_schema = { .keys = keys };

void settings_clear(struct settings *settings)
{
        free(settings->file);
        free(settings->proxy);
        strv_clear(&settings->mirror_from);
        strv_clear(&settings->mirror_to);
        *settings = (struct settings)SETTINGS_INIT;
}

int settings_parse(const char *text, size_t length, const char *file, struct settings *out, struct error **err)
{
        _cleanup_(toml_freep) struct toml_value *root = toml_parse(text, length, file, err);
        _cleanup_(settings_clear) struct settings settings = {
                .file = xstrdup(file),
                .template_budget = 10 * GIB,
                .secret_timeout = 120,
                .proxy = xstrdup("none"),
        };

        if (!root || schema_decode(&settings_schema, root, file, &settings, err) < 0)
                return -1;
        *out = settings;
        settings = (struct settings)SETTINGS_INIT;
        return 0;
}

int settings_read(struct settings *out, struct error **err)
{
        _cleanup_(freep) char *file = paths_config("config.toml");
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (config_file_read(file, &text, err) < 0)
                return -1;
        return settings_parse(text.buf, text.len, file, out, err);
}
