/*
 * A TOML table decoded into a struct by a table of keys: one table says what a key is called, what it may hold and where it
 * goes, and decoding, the messages and the reference in docs/ are all made from it.
 *
 *         static const struct schema_key keys[] = {
 *                 { .name = "cpus", .type = SCHEMA_INTEGER, .offset = offsetof(struct project, cpus), .low = 1, .high = 256,
 *                   .fallback = "4", .summary = "processors of the VM" },
 *                 { 0 },
 *         };
 *         const struct schema schema = { .keys = keys };
 *
 *         project.cpus = 4;                                               // defaults come first
 *         status = schema_decode(&schema, root, file, &project, err);     // else *err has every mistake, sorted by place
 *
 * Nothing ends at the first mistake: the reader notes it, and decoding goes on after it.
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "lib/toml.h"

struct schema_key;
struct schema_reader;

/* What a value must be, and the type of the field that it goes to. */
enum schema_type {
        SCHEMA_BOOL,    /* bool */
        SCHEMA_INTEGER, /* int64_t in [low, high] */
        SCHEMA_SIZE,    /* int64_t, bytes in [low, high]: a whole number is GiB, a text is as text_parse_size() reads it */
        SCHEMA_STRING,  /* char * (owned), as `check` allows */
        SCHEMA_CHOICE,  /* char * (owned), one of `choices` */
        SCHEMA_STRINGS, /* struct strv: a list of at most `high` different texts, each as `check` allows */
        SCHEMA_ARRAY,   /* a list of at most `high` items, each handed to `decode` */
        SCHEMA_TABLE,   /* a table inside; `schema` decodes it into the struct at the field */
        SCHEMA_CUSTOM,  /* whatever `decode` makes of it; `items` says what that is */
};

/* Is this text allowed? The error's message and hint are used, at the text's place. */
typedef int (*schema_check_fn)(const char *text, struct error **err);
/* Decodes an item into the struct `object`, or notes what is wrong with it. */
typedef void (*schema_decode_fn)(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                                 void *object);

struct schema_key {
        const char *name; /* NULL ends a table of keys */
        enum schema_type type;
        bool required;
        size_t offset; /* of the field */
        size_t given;  /* offset of a bool that says whether the key was there; 0 = nobody asks */
        int64_t low, high;
        const char *const *choices; /* NULL-ended */
        const struct schema *schema;
        schema_check_fn check;   /* NULL = any text but an empty one */
        schema_decode_fn decode; /* SCHEMA_ARRAY, SCHEMA_CUSTOM */
        const char *items;       /* what a list holds, in the plural: "URLs" */
        const char *fallback;    /* what holds without the key, as the reference says it */
        const char *summary;     /* for the reference */
};

struct schema {
        const struct schema_key *keys;
        const struct schema *base; /* its keys and its finish() count too; NULL = none */
        /* For members that match no key. NULL = such a member is a mistake (schema_unknown). */
        void (*other)(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member,
                      void *object);
        /* Called when all keys have been decoded, to check what holds between them. NULL = nothing does. */
        void (*finish)(struct schema_reader *reader, const struct toml_value *table, void *object);
};

/* Decodes a whole table. -1 with every mistake; `object` is then partly filled, and the caller clears it as always. */
int schema_decode(const struct schema *schema, const struct toml_value *table, const char *file, void *object,
                  struct error **err);

/* The key called `name`, in the schema or its base; NULL when there is none. */
const struct schema_key *schema_find(const struct schema *schema, const char *name);

/* Appends the reference: a row of a Markdown table for each key (base first). */
void schema_document(const struct schema *schema, struct strbuf *out);

/*
 * For decode, other and finish. schema_hint() sets the hint of the newest mistake. Of a file with very many mistakes the first
 * hundred are kept, and the others are counted.
 */
void schema_mistake(struct schema_reader *reader, unsigned line, unsigned column, const char *format, ...) _printf_(4, 5);
void schema_hint(struct schema_reader *reader, const char *format, ...) _printf_(2, 3);
/* Notes the message and hint of `error` (owned from now on) as a mistake at a place. */
void schema_adopt(struct schema_reader *reader, unsigned line, unsigned column, struct error *error);
/* What is noted after schema_mark() can be taken back, sorted by place: mistakes that concern only one part of the file. NULL =
 * there are none. Owned by the caller. */
size_t schema_mark(const struct schema_reader *reader);
struct error *schema_take(struct schema_reader *reader, size_t mark);
/* "unknown key 'cpu'", with the nearest key, or all of them, as the hint. */
void schema_unknown(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member);
/* "'cpus' must be a whole number, not a string" */
void schema_wrong_type(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                       const char *wanted);
/* Does the key's `check` allow the text? If not, the mistake is noted. */
bool schema_check_text(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value);
/* Decodes a table inside another. */
void schema_decode_table(struct schema_reader *reader, const struct schema *schema, const struct toml_value *table,
                         void *object);
