/* Any bytes as provision.toml and as profile.toml. What is accepted keeps all promises; what is refused says where. */
#include "../fuzz.h"

#include "config/recipe-schema.h"

static bool one_line(const char *text)
{
        return *text != '\0' && !strpbrk(text, "\r\n\t\x1b");
}

/* Values become lines of files in the guest, URLs go to curl, and file names go to the host's file system. */
static void check_entry(const struct recipe_entry *entry)
{
        CHECK(recipe_section_name(entry->kind));
        for (size_t i = 0; i < entry->packages.count; i++)
                CHECK(one_line(entry->packages.items[i]) && *entry->packages.items[i] != '-');
        for (size_t i = 0; i < entry->sha256.values.count; i++)
                CHECK(strlen(entry->sha256.values.items[i]) == 64);
        for (size_t i = 0; i < entry->env.values.count; i++)
                CHECK(one_line(entry->env.values.items[i]) && one_line(entry->env.names.items[i]));
        for (size_t i = 0; i < entry->when.arch.count; i++)
                CHECK(streq(entry->when.arch.items[i], "amd64") || streq(entry->when.arch.items[i], "arm64"));
        CHECK(!entry->url || (starts_with(entry->url, "https://") && one_line(entry->url)));
        CHECK(!entry->name || (one_line(entry->name) && !strchr(entry->name, '/') && *entry->name != '.'));
        CHECK(!entry->path || *entry->path == '/' || starts_with(entry->path, "{home}/"));
        CHECK(!entry->script ||
              (*entry->script != '/' && !starts_with(entry->script, "../") && !strstr(entry->script, "/../")));
        CHECK(!entry->source ||
              (*entry->source != '/' && !starts_with(entry->source, "../") && !strstr(entry->source, "/../")));
        CHECK(entry->kind != RECIPE_SHELL || !entry->cmd != !entry->script);
        CHECK(entry->kind != RECIPE_FILES || !entry->content != !entry->source);
        CHECK(entry->kind != RECIPE_RELEASE || (entry->url && entry->format && entry->name));
}

static void try(const char *text, size_t length, bool is_profile)
{
        _cleanup_(recipe_source_clear) struct recipe_source source = RECIPE_SOURCE_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (recipe_source_parse(text, length, "r.toml", is_profile, &source, &error) < 0) {
                CHECK(error);
                for (const struct error *e = error; e; e = e->next)
                        CHECK(e->kind == ERROR_CONFIG && e->file && *e->message != '\0');
                CHECK(source.count == 0);
                return;
        }
        CHECK(!is_profile || source.profile.summary);
        for (size_t i = 0; i < source.count; i++) {
                check_entry(&source.entries[i]);
                CHECK(i == 0 || source.entries[i - 1].kind <= source.entries[i].kind);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        try((const char *)data, size, false);
        try((const char *)data, size, true);
        return 0;
}
