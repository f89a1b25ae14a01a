#include "config/settings.h"

#include "config/project-schema.h"
#include "host/paths.h"
#include "lib/file.h"

#define GIB (INT64_C(1) << 30)
#define TIB (INT64_C(1) << 40)

static const struct schema_key keys[] = {
        {
                .name = "template_budget",
                .type = SCHEMA_SIZE,
                .offset = offsetof(struct settings, template_budget),
                .low = 0,
                .high = 64 * TIB,
                .fallback = "10 GiB",
                .summary = "what the memory of warm templates may take on the host's disk; those not used for longest go first",
        },
        { 0 },
};

const struct schema settings_schema = { .keys = keys };

void settings_clear(struct settings *settings)
{
        free(settings->file);
        *settings = (struct settings)SETTINGS_INIT;
}

int settings_parse(const char *text, size_t length, const char *file, struct settings *out, struct error **err)
{
        _cleanup_(toml_freep) struct toml_value *root = toml_parse(text, length, file, err);
        _cleanup_(settings_clear) struct settings settings = { .file = xstrdup(file), .template_budget = 10 * GIB };

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
