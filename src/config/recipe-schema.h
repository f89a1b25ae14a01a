/*
 * A provision.toml or profile.toml as it was written: one entry for each table in it, checked one by one. recipe.c decides what
 * they come to together. All kinds share one struct; which fields a kind has is in its schema.
 */
#pragma once

#include "config/recipe.h"
#include "config/schema.h"

/* A table of texts, or one text that holds for all (then there is one item, with the name ""). */
struct recipe_texts {
        struct strv names, values;
};

struct recipe_entry {
        enum recipe_kind kind;
        unsigned line, column;

        struct {
                struct strv arch;
                char *suite;
        } when;
        bool as_user, optional;
        char *verify;
        char *name;

        struct strv packages; /* apt_repo, apt, uv_tool, npm_global */
        char *deb;            /* apt_repo */
        char *url;            /* release, installer; of the key in apt_repo */
        unsigned url_line, url_column;
        struct recipe_texts sha256, arch_names; /* by architecture */
        char *version, *format, *to, *into;     /* release */
        struct strv bin, links;
        int64_t strip;
        struct strv args; /* installer */
        struct recipe_texts env;
        char *python, *uv; /* uv_tool */
        struct strv with;
        char *path, *content, *source; /* files */
        char *mode, *owner;
        struct strv marketplace, plugins; /* agents */
        char *permission_mode;
        char *cmd, *script; /* shell */
};

struct recipe_source {
        bool is_profile;
        struct {
                char *summary, *verify;
                struct strv requires;
                unsigned line, column;
        } profile;
        struct recipe_entry *entries; /* by kind, then in the order of the file */
        size_t count;
};

#define RECIPE_SOURCE_INIT                                                                                                     \
        {                                                                                                                      \
                0                                                                                                              \
        }
void recipe_source_clear(struct recipe_source *source);

/* Reports every mistake at once. A profile must have [profile], and nothing else may have it. */
int recipe_source_parse(const char *text, size_t length, const char *file, bool is_profile, struct recipe_source *out,
                        struct error **err);

/* For the reference: the schema of each kind (RECIPE_CA has none), of [profile], and of `when`. */
extern const struct schema *const recipe_schemas[RECIPE_KINDS];
extern const struct schema recipe_profile_schema, recipe_when_schema;
/* The section's name in the file: "claude" of RECIPE_AGENTS. */
const char *recipe_section_name(enum recipe_kind kind);
/* Is the section a list, only written as [[name]], with a name or path of its own for each? */
bool recipe_section_is_list(enum recipe_kind kind);
