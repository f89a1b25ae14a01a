#include "config/lockfile.h"

#include "config/schema.h"
#include "lib/file.h"
#include "lib/hash.h"

#define FILE_MOST (4 << 20)
#define TEXT_MOST 4096

static const char head[] = "# Written by machine: what the recipe resolved to at its first run. Commit it with the recipe.\n"
                           "# `machine lock --update` has everything resolved again.\n";

static const char *const section_names[] = { "base", "downloads", "versions", NULL };

static void entry_clear(struct lock_entry *entry)
{
        free(entry->architecture);
        free(entry->step);
        free(entry->name);
        free(entry->value);
}

void lockfile_clear(struct lockfile *lock)
{
        if (!lock)
                return;
        for (size_t i = 0; i < lock->count; i++)
                entry_clear(&lock->entries[i]);
        free(lock->entries);
        free(lock->path);
        *lock = (struct lockfile)LOCKFILE_INIT;
}

static int compare(const struct lock_entry *a, const struct lock_entry *b)
{
        int order = strcmp(a->architecture, b->architecture);

        if (order == 0)
                order = (int)a->section - (int)b->section;
        if (order == 0)
                order = strcmp(a->step, b->step);
        return order != 0 ? order : strcmp(a->name, b->name);
}

/* The index of `wanted`, or the index where it belongs. */
static size_t find(const struct lockfile *lock, const struct lock_entry *wanted, bool *found)
{
        size_t low = 0, high = lock->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (compare(&lock->entries[middle], wanted) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        *found = low < lock->count && compare(&lock->entries[low], wanted) == 0;
        return low;
}

const char *lockfile_get(const struct lockfile *lock, const char *architecture, enum lock_section section, const char *step,
                         const char *name)
{
        const struct lock_entry wanted = {
                .architecture = (char *)architecture,
                .section = section,
                .step = (char *)step,
                .name = (char *)name,
        };
        bool found;
        size_t at = find(lock, &wanted, &found);

        return found ? lock->entries[at].value : NULL;
}

static bool is_text(const char *text)
{
        size_t length = strlen(text);

        if (length == 0 || length > TEXT_MOST)
                return false;
        for (const char *c = text; *c; c++)
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        return false;
        return true;
}

static bool is_sha256(const char *text)
{
        return strlen(text) == HASH_HEX_LENGTH && strspn(text, "0123456789abcdef") == HASH_HEX_LENGTH;
}

int lockfile_set(struct lockfile *lock, const char *architecture, enum lock_section section, const char *step, const char *name,
                 const char *value, struct error **err)
{
        struct lock_entry entry = {
                .architecture = (char *)architecture,
                .section = section,
                .step = (char *)step,
                .name = (char *)name,
        };
        bool found;
        size_t at;

        if (!is_text(architecture) || !is_text(name) || !is_text(value) || (section == LOCK_VERSIONS) != is_text(step) ||
            (section == LOCK_DOWNLOADS && !is_sha256(value)))
                return error_set(err, ERROR_FAILED, "'%s' can't be recorded as '%s' in '%s'", value, name, lock->path);
        at = find(lock, &entry, &found);
        if (found) {
                set_string(&lock->entries[at].value, xstrdup(value));
                return 0;
        }
        lock->entries = xreallocarray(lock->entries, lock->count + 1, sizeof(*lock->entries));
        memmove(&lock->entries[at + 1], &lock->entries[at], (lock->count - at) * sizeof(*lock->entries));
        lock->entries[at] = (struct lock_entry){
                .architecture = xstrdup(architecture),
                .section = section,
                .step = xstrdup(step),
                .name = xstrdup(name),
                .value = xstrdup(value),
        };
        lock->count++;
        return 0;
}

static size_t drop_matching(struct lockfile *lock, bool (*matches)(const struct lock_entry *, const char *), const char *what)
{
        size_t kept = 0, count = lock->count;

        for (size_t i = 0; i < count; i++)
                if (matches(&lock->entries[i], what))
                        entry_clear(&lock->entries[i]);
                else
                        lock->entries[kept++] = lock->entries[i];
        lock->count = kept;
        return count - kept;
}

static bool is_of_step(const struct lock_entry *entry, const char *step)
{
        return !step || (entry->section == LOCK_VERSIONS && streq(entry->step, step));
}

static bool is_download(const struct lock_entry *entry, const char *url)
{
        return entry->section == LOCK_DOWNLOADS && streq(entry->name, url);
}

size_t lockfile_drop(struct lockfile *lock, const char *step)
{
        return drop_matching(lock, is_of_step, step);
}

size_t lockfile_drop_download(struct lockfile *lock, const char *url)
{
        return drop_matching(lock, is_download, url);
}

/* Where in the tables the reading is. */
struct place {
        struct lockfile *lock;
        const char *architecture;
        enum lock_section section;
        const char *step;
};

static void decode_text(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member,
                        void *object)
{
        struct place *place = object;
        struct error *error = NULL;

        if (member->value.type != TOML_STRING)
                schema_mistake(reader, member->value.line, member->value.column, "'%s' must be a string, not %s", member->key,
                               toml_type_name(member->value.type));
        else if (lockfile_set(place->lock, place->architecture, place->section, place->step, member->key, member->value.string,
                              &error) < 0)
                schema_adopt(reader, member->value.line, member->value.column, error);
}

static void decode_step(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member,
                        void *object)
{
        static const struct schema_key none[] = { { 0 } };
        static const struct schema texts = { .keys = none, .other = decode_text };
        struct place place = *(struct place *)object;

        if (place.section != LOCK_VERSIONS) {
                decode_text(reader, schema, member, object);
                return;
        }
        place.step = member->key;
        if (member->value.type == TOML_TABLE)
                schema_decode_table(reader, &texts, &member->value, &place);
        else
                schema_mistake(reader, member->line, member->column, "'%s' must be a table of versions", member->key);
}

static void decode_section(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member,
                           void *object)
{
        static const struct schema_key none[] = { { 0 } };
        static const struct schema steps = { .keys = none, .other = decode_step };
        struct place place = *(struct place *)object;

        for (int i = 0; section_names[i]; i++) {
                if (!streq(section_names[i], member->key) || member->value.type != TOML_TABLE)
                        continue;
                place.section = (enum lock_section)i;
                schema_decode_table(reader, &steps, &member->value, &place);
                return;
        }
        schema_mistake(reader, member->line, member->column, "'%s' is not one of the tables 'base', 'downloads' and 'versions'",
                       member->key);
}

static void decode_architecture(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member,
                                void *object)
{
        static const struct schema_key none[] = { { 0 } };
        static const struct schema sections = { .keys = none, .other = decode_section };
        struct place place = { .lock = object, .architecture = member->key, .step = "" };

        if (member->value.type == TOML_TABLE)
                schema_decode_table(reader, &sections, &member->value, &place);
        else
                schema_mistake(reader, member->line, member->column, "'%s' must be the table of an architecture", member->key);
}

int lockfile_parse(const char *text, size_t length, const char *path, struct lockfile *out, struct error **err)
{
        static const struct schema_key none[] = { { 0 } };
        static const struct schema schema = { .keys = none, .other = decode_architecture };
        _cleanup_(toml_freep) struct toml_value *root = toml_parse(text, length, path, err);
        _cleanup_(lockfile_clear) struct lockfile lock = { .path = xstrdup(path) };

        if (!root || schema_decode(&schema, root, path, &lock, err) < 0)
                return error_hint(
                        err, "machine.lock is written by machine: take it from version control, or: machine lock --update");
        *out = lock;
        lock = (struct lockfile)LOCKFILE_INIT;
        return 0;
}

int lockfile_read(const char *path, struct lockfile *out, struct error **err)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (file_read(path, FILE_MOST, &text, &error) < 0 && error->kind != ERROR_NOT_FOUND) {
                if (err) {
                        error_free(*err);
                        *err = TAKE_PTR(error);
                }
                return -1;
        }
        return lockfile_parse(text.buf, text.len, path, out, err);
}

/* A basic string of TOML. Control characters are never in it. */
static void add_quoted(struct strbuf *out, const char *text)
{
        strbuf_addc(out, '"');
        for (; *text; text++) {
                if (*text == '"' || *text == '\\')
                        strbuf_addc(out, '\\');
                strbuf_addc(out, *text);
        }
        strbuf_addc(out, '"');
}

static void add_key(struct strbuf *out, const char *key)
{
        static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

        if (key[strspn(key, bare)] == '\0')
                strbuf_adds(out, key);
        else
                add_quoted(out, key);
}

static bool same_table(const struct lock_entry *a, const struct lock_entry *b)
{
        return streq(a->architecture, b->architecture) && a->section == b->section && streq(a->step, b->step);
}

void lockfile_text(const struct lockfile *lock, struct strbuf *out)
{
        strbuf_adds(out, head);
        for (size_t i = 0; i < lock->count; i++) {
                const struct lock_entry *entry = &lock->entries[i];

                if (i == 0 || !same_table(entry, entry - 1)) {
                        strbuf_adds(out, "\n[");
                        add_key(out, entry->architecture);
                        strbuf_addf(out, ".%s", section_names[entry->section]);
                        if (*entry->step) {
                                strbuf_addc(out, '.');
                                add_key(out, entry->step);
                        }
                        strbuf_adds(out, "]\n");
                }
                add_key(out, entry->name);
                strbuf_adds(out, " = ");
                add_quoted(out, entry->value);
                strbuf_addc(out, '\n');
        }
}

int lockfile_write(const struct lockfile *lock, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        lockfile_text(lock, &text);
        return file_write(lock->path, text.buf, text.len, 0644, err);
}
