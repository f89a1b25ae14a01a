#include "config/recipe-schema.h"
#include "config/recipe-check.h"

#include <ctype.h>

#include "lib/text.h"

#define LIST_MOST    1000
#define SECTION_MOST 200

static const char *const architectures[] = { "amd64", "arm64", NULL };

static void texts_clear(struct recipe_texts *texts)
{
        strv_clear(&texts->names);
        strv_clear(&texts->values);
}

static void entry_clear(struct recipe_entry *entry)
{
        struct strv *const lists[] = { &entry->when.arch, &entry->packages, &entry->bin,         &entry->links,
                                       &entry->args,      &entry->with,     &entry->marketplace, &entry->plugins };
        struct recipe_texts *const texts[] = { &entry->sha256, &entry->arch_names, &entry->env };
        char *const strings[] = { entry->when.suite,     entry->verify, entry->name, entry->deb,    entry->url, entry->version,
                                  entry->format,         entry->to,     entry->into, entry->python, entry->uv,  entry->path,
                                  entry->content,        entry->source, entry->mode, entry->owner,  entry->cmd, entry->script,
                                  entry->permission_mode };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                strv_clear(lists[i]);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                texts_clear(texts[i]);
        for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
                free(strings[i]);
}

void recipe_source_clear(struct recipe_source *source)
{
        if (!source)
                return;
        for (size_t i = 0; i < source->count; i++)
                entry_clear(&source->entries[i]);
        free(source->entries);
        free(source->profile.summary);
        free(source->profile.verify);
        strv_clear(&source->profile.requires);
        *source = (struct recipe_source)RECIPE_SOURCE_INIT;
}

/* Values of more than one form. */

static void *field_of(void *object, const struct schema_key *key)
{
        return (char *)object + key->offset;
}

static void decode_arch(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                        void *object)
{
        struct strv *list = field_of(object, key);
        const struct toml_value *items = value->type == TOML_ARRAY ? value->items : value;
        size_t count = value->type == TOML_ARRAY ? value->item_count : 1;

        for (size_t i = 0; i < count; i++) {
                const char *near;

                if (items[i].type != TOML_STRING) {
                        schema_wrong_type(reader, key, &items[i], "'amd64' or 'arm64', or a list of them");
                } else if (streq(items[i].string, "amd64") || streq(items[i].string, "arm64")) {
                        strv_add(list, items[i].string);
                } else {
                        schema_mistake(reader, items[i].line, items[i].column, "'%s' must be 'amd64' or 'arm64', not '%s'",
                                       key->name, items[i].string);
                        near = text_suggest(items[i].string, architectures);
                        if (near)
                                schema_hint(reader, "did you mean '%s'?", near);
                }
        }
}

static void add_text(struct schema_reader *reader, const struct schema_key *key, const char *name,
                     const struct toml_value *value, struct recipe_texts *texts)
{
        if (value->type != TOML_STRING) {
                schema_wrong_type(reader, key, value, "made of strings");
        } else if (schema_check_text(reader, key, value)) {
                strv_add(&texts->names, name);
                strv_add(&texts->values, value->string);
        }
}

/* `[key].choices` are the names that such a table may have; NULL = any variable's. */
static bool is_name(const struct schema_key *key, const char *name)
{
        if (!key->choices)
                return (isalpha((unsigned char)*name) || *name == '_') &&
                       name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
        for (const char *const *choice = key->choices; *choice; choice++)
                if (streq(*choice, name))
                        return true;
        return false;
}

static void decode_texts(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                         void *object)
{
        struct recipe_texts *texts = field_of(object, key);

        if (value->type != TOML_TABLE) {
                schema_wrong_type(reader, key, value, "a table");
                return;
        }
        for (size_t i = 0; i < value->member_count; i++) {
                const struct toml_member *member = &value->members[i];

                if (is_name(key, member->key)) {
                        add_text(reader, key, member->key, &member->value, texts);
                } else {
                        schema_mistake(reader, member->line, member->column, "'%s' can't be a name in '%s'", member->key,
                                       key->name);
                        if (key->choices)
                                schema_hint(reader, "known names: amd64, arm64");
                }
        }
}

static void decode_text_or_texts(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                                 void *object)
{
        if (value->type == TOML_STRING)
                add_text(reader, key, "", value, field_of(object, key));
        else
                decode_texts(reader, key, value, object);
}

static void decode_url(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value, void *object)
{
        struct recipe_entry *entry = object;

        entry->url_line = value->line;
        entry->url_column = value->column;
        if (value->type != TOML_STRING)
                schema_wrong_type(reader, key, value, "a string");
        else if (schema_check_text(reader, key, value))
                set_string(&entry->url, xstrdup(value->string));
}

/* The sections. */

#define FIELD(field) .offset = offsetof(struct recipe_entry, field)
#define LINES(name_, field_, items_, summary_)                                                                                 \
        {                                                                                                                      \
                .name = (name_), .type = SCHEMA_STRINGS, FIELD(field_), .high = LIST_MOST, .check = recipe_check_line,         \
                .items = (items_), .fallback = "none", .summary = (summary_)                                                   \
        }
#define TEXT(name_, field_, check_, fallback_, summary_)                                                                       \
        {                                                                                                                      \
                .name = (name_), .type = SCHEMA_STRING, FIELD(field_), .check = (check_), .fallback = (fallback_),             \
                .summary = (summary_)                                                                                          \
        }
#define NAME(summary_)                                                                                                         \
        {                                                                                                                      \
                .name = "name", .type = SCHEMA_STRING, .required = true, FIELD(name), .check = recipe_check_id,                \
                .summary = (summary_)                                                                                          \
        }
#define PACKAGES(required_, summary_)                                                                                          \
        {                                                                                                                      \
                .name = "packages", .type = SCHEMA_STRINGS, .required = (required_), FIELD(packages), .high = LIST_MOST,       \
                .check = recipe_check_word, .items = "names", .fallback = "none", .summary = (summary_)                        \
        }
#define URL(name_, summary_)                                                                                                   \
        {                                                                                                                      \
                .name = (name_), .type = SCHEMA_CUSTOM, .required = true, .check = recipe_check_url, .decode = decode_url,     \
                .items = "https URL", .summary = (summary_)                                                                    \
        }
#define AS_USER                                                                                                                \
        {                                                                                                                      \
                .name = "as_user", .type = SCHEMA_BOOL, FIELD(as_user), .fallback = "`false`",                                 \
                .summary = "run as the user, not as root"                                                                      \
        }
#define SHA256                                                                                                                 \
        {                                                                                                                      \
                .name = "sha256", .type = SCHEMA_CUSTOM, FIELD(sha256), .check = recipe_check_sha256,                          \
                .choices = architectures, .decode = decode_text_or_texts, .items = "text, or one for each architecture",       \
                .fallback = "`machine.lock`", .summary = "hash of what is downloaded"                                          \
        }
#define ARCH_NAMES                                                                                                             \
        {                                                                                                                      \
                .name = "arch_names", .type = SCHEMA_CUSTOM, FIELD(arch_names), .check = recipe_check_word,                    \
                .choices = architectures, .decode = decode_texts, .items = "table of `amd64`, `arm64`",                        \
                .fallback = "Debian's names", .summary = "what `{arch}` is filled in with"                                     \
        }

static const struct schema_key when_keys[] = {
        { .name = "arch",
          .type = SCHEMA_CUSTOM,
          FIELD(when.arch),
          .decode = decode_arch,
          .items = "`amd64`, `arm64`, or a list",
          .fallback = "any",
          .summary = "architectures that the entry is for" },
        TEXT("suite", when.suite, recipe_check_word, "any", "Debian's release that the entry is for"),
        { 0 },
};
const struct schema recipe_when_schema = { .keys = when_keys };

static void decode_when(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                        void *object)
{
        if (value->type == TOML_TABLE)
                schema_decode_table(reader, &recipe_when_schema, value, object);
        else
                schema_wrong_type(reader, key, value, "a table");
}

static const struct schema_key common_keys[] = {
        { .name = "when",
          .type = SCHEMA_CUSTOM,
          .decode = decode_when,
          .items = "table",
          .fallback = "always",
          .summary = "where it applies, as `{ arch = \"amd64\" }`" },
        TEXT("verify", verify, recipe_check_script, "none", "shell command that must succeed afterwards"),
        { .name = "optional",
          .type = SCHEMA_BOOL,
          FIELD(optional),
          .fallback = "`false`",
          .summary = "when it fails, the VM goes without it" },
        { 0 },
};
static const struct schema common = { .keys = common_keys };

static const struct schema_key apt_repo_keys[] = {
        NAME("name of its file in `sources.list.d`"),
        { .name = "deb",
          .type = SCHEMA_STRING,
          .required = true,
          FIELD(deb),
          .check = recipe_check_deb,
          .summary = "`URL SUITE COMPONENT…`; `{codename}` and `{arch}` are filled in" },
        URL("key", "the repository's signing key"),
        SHA256,
        ARCH_NAMES,
        PACKAGES(false, "packages to install from it"),
        { 0 },
};
static const struct schema_key apt_keys[] = { PACKAGES(true, "Debian packages"), { 0 } };
static const struct schema_key release_keys[] = {
        NAME("name of the program"),
        URL("url", "archive or binary; `{arch}` and `{version}` are filled in"),
        SHA256,
        ARCH_NAMES,
        TEXT("version", version, recipe_check_word, "none", "what `{version}` is filled in with"),
        { .name = "format",
          .type = SCHEMA_CHOICE,
          FIELD(format),
          .choices = (const char *const[]){ "tar.gz", "tar.xz", "zip", "deb", "binary", NULL },
          .fallback = "the URL's ending",
          .summary = "what the download is" },
        LINES("bin", bin, "paths", "programs in the archive: `PATH` or `PATH -> NAME`"),
        TEXT("to", to, recipe_check_path, "`/usr/local/bin`", "folder for the programs"),
        TEXT("into", into, recipe_check_path, "none",
             "folder that the whole archive is unpacked into, replacing the previous one"),
        { .name = "strip",
          .type = SCHEMA_INTEGER,
          FIELD(strip),
          .low = 0,
          .high = 16,
          .fallback = "0",
          .summary = "how many leading parts of paths `into` leaves out" },
        LINES("links", links, "links", "symlinks to make: `PATH -> LINK`"),
        { 0 },
};
static const struct schema_key installer_keys[] = {
        NAME("name of what it installs"),
        URL("url", "the script; `{arch}` is filled in"),
        SHA256,
        ARCH_NAMES,
        LINES("args", args, "texts", "its arguments"),
        { .name = "env",
          .type = SCHEMA_CUSTOM,
          FIELD(env),
          .check = recipe_check_line,
          .decode = decode_texts,
          .items = "table of texts",
          .fallback = "none",
          .summary = "its environment" },
        AS_USER,
        { 0 },
};
static const struct schema_key uv_tool_keys[] = {
        PACKAGES(true, "tools, for all users; `NAME==VERSION` pins one"),
        TEXT("python", python, recipe_check_word, "uv's choice", "version of Python for them"),
        LINES("with", with, "names", "further packages in their environments"),
        TEXT("uv", uv, recipe_check_word, "newest, then `machine.lock`", "version of uv itself"),
        { 0 },
};
static const struct schema_key npm_global_keys[] = { PACKAGES(true, "packages, for all users; `NAME@VERSION` pins one"),
                                                     { 0 } };
static const struct schema_key files_keys[] = {
        { .name = "path",
          .type = SCHEMA_STRING,
          .required = true,
          FIELD(path),
          .check = recipe_check_path,
          .summary = "where it goes; `{home}` is the user's home" },
        TEXT("content", content, recipe_check_any, "`source`", "what is in it"),
        TEXT("source", source, recipe_check_beside, "`content`", "file beside this one"),
        TEXT("mode", mode, recipe_check_mode, "`0644`", "permissions, in octal digits"),
        TEXT("owner", owner, recipe_check_word, "`root`; the user below `{home}`", "`root`, or `user`"),
        { 0 },
};
static const struct schema_key claude_keys[] = {
        LINES("marketplace", marketplace, "names", "plugin marketplaces"),
        LINES("plugins", plugins, "names", "plugins to switch on: `NAME@MARKETPLACE`"),
        { .name = "default_permission_mode",
          .type = SCHEMA_CHOICE,
          FIELD(permission_mode),
          .choices = (const char *const[]){ "default", "acceptEdits", "plan", "auto", "bypassPermissions", NULL },
          .fallback = "Claude Code's",
          .summary = "Claude Code's permission mode; the base recipe's wins" },
        { 0 },
};
static const struct schema_key shell_keys[] = {
        TEXT("name", name, recipe_check_id, "its number", "for the step's name"),
        TEXT("cmd", cmd, recipe_check_script, "`script`", "script, run by `sh -e`"),
        TEXT("script", script, recipe_check_beside, "`cmd`", "script beside this file, run as its first line says"),
        AS_USER,
        { 0 },
};
static const struct schema_key profile_keys[] = {
        { .name = "summary",
          .type = SCHEMA_STRING,
          .required = true,
          .offset = offsetof(struct recipe_source, profile.summary),
          .check = recipe_check_line,
          .summary = "what it is, in one line" },
        { .name = "requires",
          .type = SCHEMA_STRINGS,
          .offset = offsetof(struct recipe_source, profile.requires),
          .high = 64,
          .check = recipe_check_profile_name,
          .items = "names",
          .fallback = "none",
          .summary = "profiles that have to come before it" },
        { .name = "verify",
          .type = SCHEMA_STRING,
          .offset = offsetof(struct recipe_source, profile.verify),
          .check = recipe_check_script,
          .fallback = "none",
          .summary = "shell command that must succeed at the end, run as the user" },
        { 0 },
};
const struct schema recipe_profile_schema = { .keys = profile_keys };

/* Exactly one of the two must be there. */
static void need_one(struct schema_reader *reader, const struct toml_value *table, const char *one, const char *other)
{
        const struct toml_member *second = toml_get(table, other);

        if (toml_get(table, one) && second)
                schema_mistake(reader, second->line, second->column, "'%s' and '%s' exclude each other", one, other);
        else if (!toml_get(table, one) && !second)
                schema_mistake(reader, table->line, table->column, "'%s' or '%s' is missing", one, other);
}

static const char *format_of(const char *url)
{
        static const char *const endings[][2] = { { ".tar.gz", "tar.gz" }, { ".tgz", "tar.gz" }, { ".tar.xz", "tar.xz" },
                                                  { ".txz", "tar.xz" },    { ".zip", "zip" },    { ".deb", "deb" } };

        for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
                if (ends_with(url, endings[i][0]))
                        return endings[i][1];
        return "binary";
}

static void finish_release(struct schema_reader *reader, const struct toml_value *table, void *object)
{
        struct recipe_entry *entry = object;

        if (!entry->url)
                return;
        if (!entry->format)
                entry->format = xstrdup(format_of(entry->url));
        if (strstr(entry->url, "{version}") && !entry->version)
                schema_mistake(reader, entry->url_line, entry->url_column, "'{version}' in 'url' without a 'version'");
        if (!toml_get(table, "bin") && !toml_get(table, "into") && !streq(entry->format, "deb") &&
            !streq(entry->format, "binary")) {
                schema_mistake(reader, table->line, table->column, "'bin' or 'into' is missing");
                schema_hint(reader, "say which programs of the archive to install, or where all of it goes");
        }
}

static void finish_files(struct schema_reader *reader, const struct toml_value *table, void *object)
{
        need_one(reader, table, "content", "source");
}

static void finish_shell(struct schema_reader *reader, const struct toml_value *table, void *object)
{
        need_one(reader, table, "cmd", "script");
}

static const struct schema apt_repo_schema = { .keys = apt_repo_keys, .base = &common };
static const struct schema apt_schema = { .keys = apt_keys, .base = &common };
static const struct schema release_schema = { .keys = release_keys, .base = &common, .finish = finish_release };
static const struct schema installer_schema = { .keys = installer_keys, .base = &common };
static const struct schema uv_tool_schema = { .keys = uv_tool_keys, .base = &common };
static const struct schema npm_global_schema = { .keys = npm_global_keys, .base = &common };
static const struct schema files_schema = { .keys = files_keys, .base = &common, .finish = finish_files };
static const struct schema claude_schema = { .keys = claude_keys, .base = &common };
static const struct schema shell_schema = { .keys = shell_keys, .base = &common, .finish = finish_shell };

const struct schema *const recipe_schemas[RECIPE_KINDS] = {
        [RECIPE_APT_REPO] = &apt_repo_schema,   [RECIPE_APT] = &apt_schema,         [RECIPE_RELEASE] = &release_schema,
        [RECIPE_INSTALLER] = &installer_schema, [RECIPE_UV_TOOL] = &uv_tool_schema, [RECIPE_NPM_GLOBAL] = &npm_global_schema,
        [RECIPE_FILES] = &files_schema,         [RECIPE_AGENTS] = &claude_schema,   [RECIPE_SHELL] = &shell_schema,
};

static const struct {
        const char *kind, *section;
        bool is_list;
} kinds[RECIPE_KINDS] = {
        [RECIPE_CA] = { "ca", NULL, false },
        [RECIPE_APT_REPO] = { "apt_repo", "apt_repo", true },
        [RECIPE_APT] = { "apt", "apt", false },
        [RECIPE_RELEASE] = { "release", "release", true },
        [RECIPE_INSTALLER] = { "installer", "installer", true },
        [RECIPE_UV_TOOL] = { "uv_tool", "uv_tool", false },
        [RECIPE_NPM_GLOBAL] = { "npm_global", "npm_global", false },
        [RECIPE_FILES] = { "files", "files", true },
        [RECIPE_AGENTS] = { "agents", "claude", false },
        [RECIPE_SHELL] = { "shell", "shell", true },
};

const char *recipe_kind_name(enum recipe_kind kind)
{
        return kinds[kind].kind;
}

const char *recipe_section_name(enum recipe_kind kind)
{
        return kinds[kind].section;
}

bool recipe_section_is_list(enum recipe_kind kind)
{
        return kinds[kind].is_list;
}

static void decode_entry(struct schema_reader *reader, enum recipe_kind kind, const struct toml_value *value,
                         struct recipe_source *source)
{
        const char *section = kinds[kind].section;
        struct recipe_entry *entry;

        if (value->type != TOML_TABLE) {
                schema_mistake(reader, value->line, value->column, "'%s' must be a table, not %s", section,
                               toml_type_name(value->type));
                schema_hint(reader, kinds[kind].is_list ? "write [[%s]]" : "write [%s]", section);
                return;
        }
        source->entries = xreallocarray(source->entries, source->count + 1, sizeof(*source->entries));
        entry = &source->entries[source->count++];
        *entry = (struct recipe_entry){ .kind = kind, .line = value->line, .column = value->column };
        schema_decode_table(reader, recipe_schemas[kind], value, entry);
}

static void decode_section(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                           void *object)
{
        struct recipe_source *source = object;
        enum recipe_kind kind = (enum recipe_kind)key->low;

        if (value->type != TOML_ARRAY && kinds[kind].is_list && value->type == TOML_TABLE) {
                schema_mistake(reader, value->line, value->column, "'%s' must be a list of tables", key->name);
                schema_hint(reader, "write [[%s]]", key->name);
        } else if (value->type != TOML_ARRAY) {
                decode_entry(reader, kind, value, source);
        } else if (value->item_count > SECTION_MOST) {
                schema_mistake(reader, value->line, value->column, "'%s' has %zu items, at most %d are allowed", key->name,
                               value->item_count, SECTION_MOST);
        } else {
                for (size_t i = 0; i < value->item_count; i++)
                        decode_entry(reader, kind, &value->items[i], source);
        }
}

static void decode_profile(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                           void *object)
{
        struct recipe_source *source = object;

        source->profile.line = value->line;
        source->profile.column = value->column;
        if (!source->is_profile)
                schema_mistake(reader, value->line, value->column, "[profile] is for profiles, not for the base recipe");
        else if (value->type != TOML_TABLE)
                schema_wrong_type(reader, key, value, "a table");
        else
                schema_decode_table(reader, &recipe_profile_schema, value, source);
}

#define SECTION(name_, kind_)                                                                                                  \
        {                                                                                                                      \
                .name = (name_), .type = SCHEMA_CUSTOM, .decode = decode_section, .low = (kind_)                               \
        }
static const struct schema_key source_keys[] = {
        { .name = "profile", .type = SCHEMA_CUSTOM, .decode = decode_profile },
        SECTION("apt_repo", RECIPE_APT_REPO),
        SECTION("apt", RECIPE_APT),
        SECTION("release", RECIPE_RELEASE),
        SECTION("installer", RECIPE_INSTALLER),
        SECTION("uv_tool", RECIPE_UV_TOOL),
        SECTION("npm_global", RECIPE_NPM_GLOBAL),
        SECTION("files", RECIPE_FILES),
        SECTION("claude", RECIPE_AGENTS),
        SECTION("shell", RECIPE_SHELL),
        { 0 },
};

/* What tells an entry from others of its kind; NULL = nothing does. */
static const char *entry_key(const struct recipe_entry *entry)
{
        return entry->kind == RECIPE_FILES ? entry->path : entry->name;
}

/* Sorts by kind, and keeps the file's order within a kind. */
static void sort_entries(struct recipe_source *source)
{
        for (size_t i = 1; i < source->count; i++) {
                struct recipe_entry entry = source->entries[i];
                size_t at = i;

                for (; at > 0 && source->entries[at - 1].kind > entry.kind; at--)
                        source->entries[at] = source->entries[at - 1];
                source->entries[at] = entry;
        }
}

/* Entries with the same name must be for different architectures or suites. */
static void check_twice(struct schema_reader *reader, const struct recipe_source *source)
{
        for (size_t i = 0; i < source->count; i++)
                for (size_t j = 0; j < i; j++) {
                        const struct recipe_entry *one = &source->entries[j], *other = &source->entries[i];
                        bool apart =
                                one->when.arch.count > 0 || other->when.arch.count > 0 || one->when.suite || other->when.suite;

                        if (one->kind == other->kind && entry_key(one) && !apart && streq_ptr(entry_key(one), entry_key(other)))
                                schema_mistake(reader, other->line, other->column, "%s '%s' is there twice (line %u)",
                                               kinds[one->kind].section, entry_key(one), one->line);
                }
}

static void finish_source(struct schema_reader *reader, const struct toml_value *table, void *object)
{
        struct recipe_source *source = object;

        sort_entries(source);
        check_twice(reader, source);
        if (source->is_profile && !toml_get(table, "profile")) {
                schema_mistake(reader, 1, 1, "[profile] is missing");
                schema_hint(reader, "begin with [profile] and its summary = \"…\"");
        }
}

static const struct schema source_schema = { .keys = source_keys, .finish = finish_source };

int recipe_source_parse(const char *text, size_t length, const char *file, bool is_profile, struct recipe_source *out,
                        struct error **err)
{
        _cleanup_(toml_freep) struct toml_value *root = toml_parse(text, length, file, err);
        _cleanup_(recipe_source_clear) struct recipe_source source = { .is_profile = is_profile };

        if (!root || schema_decode(&source_schema, root, file, &source, err) < 0)
                return -1;
        *out = source;
        source = (struct recipe_source)RECIPE_SOURCE_INIT;
        return 0;
}
