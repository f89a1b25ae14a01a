#include "config/schema.h"

#include <inttypes.h>

#include "lib/text.h"

#define MISTAKES_KEPT 100
#define GIB           (INT64_C(1) << 30)

struct schema_reader {
        const char *file;
        struct error **mistakes; /* in the order they were found */
        size_t kept;
        size_t left_out;
        bool newest_kept; /* is the newest mistake among them? */
};

/* Owns `error` from now on. */
static void keep(struct schema_reader *reader, struct error *error)
{
        reader->newest_kept = reader->kept < MISTAKES_KEPT;
        if (reader->newest_kept) {
                reader->mistakes = xreallocarray(reader->mistakes, reader->kept + 1, sizeof(struct error *));
                reader->mistakes[reader->kept++] = error;
        } else {
                reader->left_out++;
                error_free(error);
        }
}

void schema_mistake(struct schema_reader *reader, unsigned line, unsigned column, const char *format, ...)
{
        struct error *error = NULL;
        va_list args;

        va_start(args, format);
        error_at_list(&error, reader->file, line, column, format, args);
        va_end(args);
        keep(reader, error);
}

void schema_hint(struct schema_reader *reader, const char *format, ...)
{
        _cleanup_(freep) char *hint = NULL;
        va_list args;

        if (!reader->newest_kept)
                return;
        va_start(args, format);
        hint = xvasprintf(format, args);
        va_end(args);
        error_hint(&reader->mistakes[reader->kept - 1], "%s", hint);
}

void schema_adopt(struct schema_reader *reader, unsigned line, unsigned column, struct error *error)
{
        error->kind = ERROR_CONFIG;
        set_string(&error->file, xstrdup(reader->file));
        error->line = line;
        error->column = column;
        keep(reader, error);
}

const struct schema_key *schema_find(const struct schema *schema, const char *name)
{
        for (; schema; schema = schema->base)
                for (const struct schema_key *key = schema->keys; key->name; key++)
                        if (streq(key->name, name))
                                return key;
        return NULL;
}

static void list_keys(const struct schema *schema, struct strv *names)
{
        for (; schema; schema = schema->base)
                for (const struct schema_key *key = schema->keys; key->name; key++)
                        strv_add(names, key->name);
}

void schema_unknown(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        const char *near;

        list_keys(schema, &names);
        near = text_suggest(member->key, strv_argv(&names));
        schema_mistake(reader, member->line, member->column, "unknown key '%s'", member->key);
        if (near) {
                schema_hint(reader, "did you mean '%s'?", near);
        } else {
                _cleanup_(freep) char *all = strv_join(&names, ", ");

                schema_hint(reader, "known keys: %s", all);
        }
}

void schema_wrong_type(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                       const char *wanted)
{
        schema_mistake(reader, value->line, value->column, "'%s' must be %s, not %s", key->name, wanted,
                       toml_type_name(value->type));
}

static void *field_of(void *object, const struct schema_key *key)
{
        return (char *)object + key->offset;
}

static void decode_integer(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                           void *object)
{
        int64_t *field = field_of(object, key);

        if (value->type != TOML_INTEGER)
                schema_wrong_type(reader, key, value, "a whole number");
        else if (value->integer < key->low || value->integer > key->high)
                schema_mistake(reader, value->line, value->column,
                               "'%s' must be between %" PRId64 " and %" PRId64 ", not %" PRId64, key->name, key->low, key->high,
                               value->integer);
        else
                *field = value->integer;
}

/* Converts GiB to bytes; a number that is too big counts as the most there can be. */
static int64_t from_gib(int64_t number)
{
        int64_t bytes;

        if (__builtin_mul_overflow(number, GIB, &bytes))
                return number < 0 ? INT64_MIN : INT64_MAX;
        return bytes;
}

static void decode_size(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                        void *object)
{
        int64_t *field = field_of(object, key);
        int64_t bytes;

        if (value->type == TOML_INTEGER) {
                bytes = from_gib(value->integer);
        } else if (value->type != TOML_STRING) {
                schema_wrong_type(reader, key, value, "a whole number of GiB or a size");
                schema_hint(reader, "write 8 for 8 GiB, or a size such as \"8GiB\" or \"512MiB\"");
                return;
        } else if (text_parse_size(value->string, &bytes) < 0) {
                schema_mistake(reader, value->line, value->column, "'%s' can't be '%s', which is not a size", key->name,
                               value->string);
                schema_hint(reader, "write 8 for 8 GiB, or a size such as \"8GiB\" or \"512MiB\"");
                return;
        }
        if (bytes < key->low || bytes > key->high) {
                _cleanup_(freep) char *low = text_format_size(key->low);
                _cleanup_(freep) char *high = text_format_size(key->high);

                schema_mistake(reader, value->line, value->column, "'%s' must be between %s and %s", key->name, low, high);
                return;
        }
        *field = bytes;
}

bool schema_check_text(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value)
{
        struct error *error = NULL;

        if (!key->check && *value->string != '\0')
                return true;
        if (!key->check) {
                schema_mistake(reader, value->line, value->column, "an empty text in '%s'", key->name);
                return false;
        }
        if (key->check(value->string, &error) == 0)
                return true;
        schema_adopt(reader, value->line, value->column, error);
        return false;
}

static void decode_string(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                          void *object)
{
        char **field = field_of(object, key);

        if (value->type != TOML_STRING)
                schema_wrong_type(reader, key, value, "a string");
        else if (schema_check_text(reader, key, value))
                set_string(field, xstrdup(value->string));
}

/* Appends "'a', 'b' or 'c'". */
static void add_choices(struct strbuf *out, const char *const *choices, const char *quote)
{
        for (size_t i = 0; choices[i]; i++)
                strbuf_addf(out, "%s%s%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", quote, choices[i], quote);
}

static void decode_choice(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                          void *object)
{
        _cleanup_(strbuf_clear) struct strbuf wanted = STRBUF_INIT;
        char **field = field_of(object, key);
        const char *near;

        add_choices(&wanted, key->choices, "'");
        if (value->type != TOML_STRING) {
                schema_wrong_type(reader, key, value, wanted.buf);
                return;
        }
        for (const char *const *choice = key->choices; *choice; choice++)
                if (streq(*choice, value->string)) {
                        set_string(field, xstrdup(value->string));
                        return;
                }
        schema_mistake(reader, value->line, value->column, "'%s' must be %s, not '%s'", key->name, wanted.buf, value->string);
        near = text_suggest(value->string, key->choices);
        if (near)
                schema_hint(reader, "did you mean '%s'?", near);
}

/* Is it a list, and not too long? */
static bool check_list(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value)
{
        if (value->type != TOML_ARRAY) {
                _cleanup_(freep) char *wanted = xasprintf("a list of %s", key->items);

                schema_wrong_type(reader, key, value, wanted);
                return false;
        }
        if (value->item_count > (size_t)key->high) {
                schema_mistake(reader, value->line, value->column, "'%s' has %zu items, at most %" PRId64 " are allowed",
                               key->name, value->item_count, key->high);
                return false;
        }
        return true;
}

static void decode_strings(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                           void *object)
{
        struct strv *field = field_of(object, key);

        if (!check_list(reader, key, value))
                return;
        for (size_t i = 0; i < value->item_count; i++) {
                const struct toml_value *item = &value->items[i];

                if (item->type != TOML_STRING)
                        schema_mistake(reader, item->line, item->column, "an item of '%s' must be a string, not %s", key->name,
                                       toml_type_name(item->type));
                else if (!schema_check_text(reader, key, item))
                        continue;
                else if (strv_contains(field, item->string))
                        schema_mistake(reader, item->line, item->column, "'%s' is in '%s' twice", item->string, key->name);
                else
                        strv_add(field, item->string);
        }
}

static void decode_value(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                         void *object)
{
        switch (key->type) {
        case SCHEMA_BOOL:
                if (value->type != TOML_BOOLEAN)
                        schema_wrong_type(reader, key, value, "true or false");
                else
                        *(bool *)field_of(object, key) = value->boolean;
                break;
        case SCHEMA_INTEGER:
                decode_integer(reader, key, value, object);
                break;
        case SCHEMA_SIZE:
                decode_size(reader, key, value, object);
                break;
        case SCHEMA_STRING:
                decode_string(reader, key, value, object);
                break;
        case SCHEMA_CHOICE:
                decode_choice(reader, key, value, object);
                break;
        case SCHEMA_STRINGS:
                decode_strings(reader, key, value, object);
                break;
        case SCHEMA_ARRAY:
                if (!check_list(reader, key, value))
                        break;
                for (size_t i = 0; i < value->item_count; i++)
                        key->decode(reader, key, &value->items[i], object);
                break;
        case SCHEMA_TABLE:
                if (value->type != TOML_TABLE)
                        schema_wrong_type(reader, key, value, "a table");
                else
                        schema_decode_table(reader, key->schema, value, field_of(object, key));
                break;
        case SCHEMA_CUSTOM:
                key->decode(reader, key, value, object);
                break;
        }
        if (key->given)
                *(bool *)((char *)object + key->given) = true;
}

void schema_decode_table(struct schema_reader *reader, const struct schema *schema, const struct toml_value *table,
                         void *object)
{
        for (size_t i = 0; i < table->member_count; i++) {
                const struct toml_member *member = &table->members[i];
                const struct schema_key *key = schema_find(schema, member->key);

                if (key)
                        decode_value(reader, key, &member->value, object);
                else if (schema->other)
                        schema->other(reader, schema, member, object);
                else
                        schema_unknown(reader, schema, member);
        }
        for (const struct schema *part = schema; part; part = part->base)
                for (const struct schema_key *key = part->keys; key->name; key++)
                        if (key->required && !toml_get(table, key->name))
                                schema_mistake(reader, table->line, table->column, "'%s' is missing", key->name);
        for (const struct schema *part = schema; part; part = part->base)
                if (part->finish)
                        part->finish(reader, table, object);
}

static int compare_places(const void *a, const void *b)
{
        const struct error *first = *(struct error *const *)a;
        const struct error *second = *(struct error *const *)b;

        if (first->line != second->line)
                return first->line < second->line ? -1 : 1;
        if (first->column != second->column)
                return first->column < second->column ? -1 : 1;
        return strcmp(first->message, second->message);
}

size_t schema_mark(const struct schema_reader *reader)
{
        return reader->kept;
}

struct error *schema_take(struct schema_reader *reader, size_t mark)
{
        struct error *more = NULL;

        if (reader->kept > mark)
                qsort(reader->mistakes + mark, reader->kept - mark, sizeof(struct error *), compare_places);
        if (reader->left_out > 0)
                error_at(&more, reader->file, 0, 0, "%zu more mistakes", reader->left_out);
        for (; reader->kept > mark; reader->kept--) {
                reader->mistakes[reader->kept - 1]->next = more;
                more = reader->mistakes[reader->kept - 1];
        }
        reader->left_out = 0;
        return more;
}

/* Hands all mistakes to the caller. */
static int report(struct schema_reader *reader, struct error **err)
{
        struct error *more = schema_take(reader, 0);

        free(reader->mistakes);
        if (!err) {
                error_free(more);
                return -1;
        }
        error_free(*err);
        *err = more;
        return -1;
}

int schema_decode(const struct schema *schema, const struct toml_value *table, const char *file, void *object,
                  struct error **err)
{
        struct schema_reader reader = { .file = file };

        schema_decode_table(&reader, schema, table, object);
        if (reader.kept > 0)
                return report(&reader, err);
        free(reader.mistakes);
        return 0;
}

/* What a value may be, in words for the reference. */
static void document_form(const struct schema_key *key, struct strbuf *out)
{
        _cleanup_(freep) char *low = key->type == SCHEMA_SIZE ? text_format_size(key->low) : NULL;
        _cleanup_(freep) char *high = key->type == SCHEMA_SIZE ? text_format_size(key->high) : NULL;

        switch (key->type) {
        case SCHEMA_BOOL:
                strbuf_adds(out, "`true` or `false`");
                break;
        case SCHEMA_INTEGER:
                strbuf_addf(out, "whole number, %" PRId64 " to %" PRId64, key->low, key->high);
                break;
        case SCHEMA_SIZE:
                strbuf_addf(out, "size, %s to %s", low, high);
                break;
        case SCHEMA_STRING:
                strbuf_adds(out, "text");
                break;
        case SCHEMA_CHOICE:
                add_choices(out, key->choices, "`");
                break;
        case SCHEMA_STRINGS:
        case SCHEMA_ARRAY:
                strbuf_addf(out, "list of %s, at most %" PRId64, key->items, key->high);
                break;
        case SCHEMA_TABLE:
                strbuf_adds(out, "table");
                break;
        case SCHEMA_CUSTOM:
                strbuf_adds(out, key->items);
                break;
        }
}

void schema_document(const struct schema *schema, struct strbuf *out)
{
        if (schema->base)
                schema_document(schema->base, out);
        for (const struct schema_key *key = schema->keys; key->name; key++) {
                strbuf_addf(out, "| `%s` | ", key->name);
                document_form(key, out);
                strbuf_addf(out, " | %s | %s |\n", key->required ? "(required)" : key->fallback, key->summary);
        }
}
