/*
 * TOML 1.0 as a tree in which every key and every value knows its line and column. toml++ does the parsing (toml.cc, the one
 * C++ file); none of it shows here. Limits, against hostile files: 64 levels of tables and arrays, 16 of them as inline values,
 * 1,000 dots in a line.
 *
 *         _cleanup_(toml_freep) struct toml_value *root = toml_parse(text, length, "projects.toml", err);
 *         const struct toml_member *member = toml_get(root, "cpus");
 */
#pragma once

#include "lib/error.h"

enum toml_type { TOML_TABLE, TOML_ARRAY, TOML_STRING, TOML_INTEGER, TOML_FLOAT, TOML_BOOLEAN, TOML_DATETIME };

struct toml_member;

struct toml_value {
        enum toml_type type;
        unsigned line, column; /* from 1, column in characters as toml++ counts */
        union {
                struct {
                        struct toml_member *members; /* in the order of the file */
                        size_t member_count;
                };
                struct {
                        struct toml_value *items;
                        size_t item_count;
                };
                char *string; /* also a TOML_DATETIME's text */
                int64_t integer;
                double number;
                bool boolean;
        };
};

struct toml_member {
        char *key;
        unsigned line, column; /* of the key */
        struct toml_value value;
};

/* The root table, or NULL with an ERROR_CONFIG at file:line:column. A string with a NUL byte inside is an error too. */
struct toml_value *toml_parse(const char *text, size_t length, const char *file, struct error **err);
void toml_free(struct toml_value *root);
void toml_freep(struct toml_value **root);

/* The member of a table, or NULL. */
const struct toml_member *toml_get(const struct toml_value *table, const char *key);
/* "a table", "an array", "a string", … */
const char *toml_type_name(enum toml_type type);
