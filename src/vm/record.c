#include "vm/record.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/park.h"
#include "lib/text.h"

#define RECORD_VERSION 1
#define RECORD_LIMIT   (1 << 20)

static const char *const intents[] = {
        [INTENT_NONE] = "none",
        [INTENT_CREATE] = "create",
        [INTENT_SETUP] = "setup",
        [INTENT_DESTROY] = "destroy",
};

enum field_type {
        FIELD_TEXT,          /* a string that isn't empty */
        FIELD_OPTIONAL_TEXT, /* the same, or null, or missing: an older record doesn't have it */
        FIELD_COUNT,         /* a whole number from 1 */
        FIELD_BOOL,
        FIELD_OPTIONAL_BOOL,  /* the same, false where it is missing */
        FIELD_TEXTS,          /* a list of strings */
        FIELD_OPTIONAL_TEXTS, /* the same, empty where it is missing */
};

static const struct field {
        const char *key;
        enum field_type type;
        size_t offset;
} fields[] = {
        { "name", FIELD_TEXT, offsetof(struct vm_record, name) },
        { "becomes", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, becomes) },
        { "former", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, former) },
        { "owner", FIELD_TEXT, offsetof(struct vm_record, owner) },
        { "fork_of", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, fork_of) },
        { "checkout", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, checkout) },
        { "race", FIELD_OPTIONAL_BOOL, offsetof(struct vm_record, race) },
        { "engine", FIELD_TEXT, offsetof(struct vm_record, engine) },
        { "uuid", FIELD_TEXT, offsetof(struct vm_record, uuid) },
        { "user", FIELD_TEXT, offsetof(struct vm_record, user) },
        { "shell", FIELD_TEXT, offsetof(struct vm_record, shell) },
        { "created", FIELD_TEXT, offsetof(struct vm_record, created) },
        { "cpus", FIELD_COUNT, offsetof(struct vm_record, cpus) },
        { "memory_bytes", FIELD_COUNT, offsetof(struct vm_record, memory_bytes) },
        { "disk_bytes", FIELD_COUNT, offsetof(struct vm_record, disk_bytes) },
        { "forward_agent", FIELD_BOOL, offsetof(struct vm_record, forward_agent) },
        { "confirm", FIELD_OPTIONAL_BOOL, offsetof(struct vm_record, confirm) },
        { "lan", FIELD_BOOL, offsetof(struct vm_record, lan) },
        { "cold", FIELD_BOOL, offsetof(struct vm_record, cold) },
        { "profiles", FIELD_TEXTS, offsetof(struct vm_record, profiles) },
        { "egress", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, egress) },
        { "park_after", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, park_after) },
        { "wake_on", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, wake_on) },
        { "allow", FIELD_OPTIONAL_TEXTS, offsetof(struct vm_record, allow) },
        { "clients", FIELD_OPTIONAL_TEXTS, offsetof(struct vm_record, clients) },
        { "ask_clients", FIELD_OPTIONAL_BOOL, offsetof(struct vm_record, ask_clients) },
        { "host_ca", FIELD_OPTIONAL_BOOL, offsetof(struct vm_record, host_ca) },
        { "keys", FIELD_OPTIONAL_TEXTS, offsetof(struct vm_record, keys) },
        { "needed_keys", FIELD_OPTIONAL_TEXTS, offsetof(struct vm_record, needed_keys) },
        { "key_hosts", FIELD_OPTIONAL_TEXTS, offsetof(struct vm_record, key_hosts) },
        { "setup", FIELD_OPTIONAL_TEXTS, offsetof(struct vm_record, setup) },
        { "repos", FIELD_TEXTS, offsetof(struct vm_record, repos) },
        { "base", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, base) },
        { "next_base", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, next_base) },
        { "next_anew", FIELD_OPTIONAL_BOOL, offsetof(struct vm_record, next_anew) },
        { "layer", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, layer) },
        { "recipe", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, recipe) },
        { "lacks", FIELD_OPTIONAL_TEXTS, offsetof(struct vm_record, lacks) },
        { "image", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, image) },
        { "image_digest", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, image_digest) },
        { "git", FIELD_OPTIONAL_TEXT, offsetof(struct vm_record, git) },
};

const char *vm_record_checkout(const struct vm_record *record)
{
        return record->owner && *record->owner == '/' ? record->owner : record->checkout;
}

const struct strv *vm_record_keys(const struct vm_record *record)
{
        return record->keys.count > 0 ? &record->keys : &record->needed_keys;
}

void vm_record_clear(struct vm_record *record)
{
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                void *target = (char *)record + fields[i].offset;

                switch (fields[i].type) {
                case FIELD_TEXT:
                case FIELD_OPTIONAL_TEXT:
                        free(*(char **)target);
                        break;
                case FIELD_TEXTS:
                case FIELD_OPTIONAL_TEXTS:
                        strv_clear(target);
                        break;
                case FIELD_COUNT:
                case FIELD_BOOL:
                case FIELD_OPTIONAL_BOOL:
                        break;
                }
        }
        free(record->ports);
        *record = (struct vm_record)VM_RECORD_INIT;
}

static int read_text(const json_t *object, const char *key, char **out, struct error **err)
{
        const char *text;

        if (json_get_string(object, key, &text, err) < 0)
                return -1;
        if (!*text)
                return error_set(err, ERROR_FAILED, "member '%s' is empty", key);
        set_string(out, xstrdup(text));
        return 0;
}

static int read_texts(const json_t *object, const char *key, struct strv *out, struct error **err)
{
        json_t *array;

        if (json_get_array(object, key, &array, err) < 0)
                return -1;
        for (size_t i = 0; i < json_array_size(array); i++) {
                const char *text = json_string_value(json_array_get(array, i));

                if (!text)
                        return error_set(err, ERROR_FAILED, "item %zu of member '%s' is not a string", i + 1, key);
                strv_add(out, text);
        }
        return 0;
}

static int read_field(const json_t *object, const struct field *field, struct vm_record *record, struct error **err)
{
        void *target = (char *)record + field->offset;
        int64_t *number = target;

        switch (field->type) {
        case FIELD_OPTIONAL_TEXT:
                if (!json_object_get(object, field->key) || json_is_null(json_object_get(object, field->key)))
                        return 0;
                return read_text(object, field->key, target, err);
        case FIELD_TEXT:
                return read_text(object, field->key, target, err);
        case FIELD_COUNT:
                if (json_get_int(object, field->key, number, err) < 0)
                        return -1;
                return *number >= 1 ? 0 : error_set(err, ERROR_FAILED, "member '%s' is less than 1", field->key);
        case FIELD_OPTIONAL_BOOL:
                if (!json_object_get(object, field->key))
                        return 0;
                return json_get_bool(object, field->key, target, err);
        case FIELD_BOOL:
                return json_get_bool(object, field->key, target, err);
        case FIELD_OPTIONAL_TEXTS:
                if (!json_object_get(object, field->key))
                        return 0;
                return read_texts(object, field->key, target, err);
        case FIELD_TEXTS:
                return read_texts(object, field->key, target, err);
        }
        return error_set(err, ERROR_FAILED, "member '%s' has no known type", field->key);
}

static void copy_field(const struct field *field, const void *source, void *target)
{
        switch (field->type) {
        case FIELD_TEXT:
        case FIELD_OPTIONAL_TEXT:
                *(char **)target = xstrdup(*(char *const *)source);
                break;
        case FIELD_TEXTS:
        case FIELD_OPTIONAL_TEXTS:
                strv_add_all(target, source);
                break;
        case FIELD_COUNT:
                *(int64_t *)target = *(const int64_t *)source;
                break;
        case FIELD_BOOL:
        case FIELD_OPTIONAL_BOOL:
                *(bool *)target = *(const bool *)source;
                break;
        }
}

void vm_record_copy(const struct vm_record *from, struct vm_record *to)
{
        vm_record_clear(to);
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                copy_field(&fields[i], (const char *)from + fields[i].offset, (char *)to + fields[i].offset);
        to->intent = from->intent;
        to->port_count = from->port_count;
        to->ports = from->port_count > 0 ? xmemdup(from->ports, from->port_count * sizeof(*from->ports)) : NULL;
}

int64_t vm_record_park_ms(const struct vm_record *record)
{
        const char *after = record->park_after ? record->park_after : PARK_AFTER_DEFAULT;
        int64_t seconds;

        /* "never", and what no program of ours has written */
        return text_parse_duration(after, &seconds) < 0 ? -1 : seconds * 1000;
}

static int read_port(const json_t *object, const char *key, uint16_t *out, struct error **err)
{
        int64_t number;

        if (json_get_int(object, key, &number, err) < 0)
                return -1;
        if (number < 1 || number > UINT16_MAX)
                return error_set(err, ERROR_FAILED, "member '%s' is not a port number", key);
        *out = (uint16_t)number;
        return 0;
}

static int read_ports(const json_t *object, struct vm_record *record, struct error **err)
{
        json_t *array;
        size_t count;

        if (json_get_array(object, "ports", &array, err) < 0)
                return -1;
        count = json_array_size(array);
        if (count > 0)
                record->ports = xcalloc(count, sizeof(*record->ports));
        for (; record->port_count < count; record->port_count++) {
                const json_t *item = json_array_get(array, record->port_count);
                struct vm_port *port = &record->ports[record->port_count];

                if (read_port(item, "host", &port->host, err) < 0 || read_port(item, "guest", &port->guest, err) < 0)
                        return error_wrap(err, "item %zu of member 'ports'", record->port_count + 1);
        }
        return 0;
}

static int read_intent(const json_t *object, enum vm_intent *out, struct error **err)
{
        const char *text;

        if (json_get_string(object, "intent", &text, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(intents); i++)
                if (streq(text, intents[i])) {
                        *out = (enum vm_intent)i;
                        return 0;
                }
        return error_set(err, ERROR_FAILED, "member 'intent' has an unknown value");
}

static int read_version(const json_t *object, struct error **err)
{
        int64_t version;

        if (json_get_int(object, "version", &version, err) < 0)
                return -1;
        if (version == RECORD_VERSION)
                return 0;
        error_set(err, ERROR_ENGINE, "it has version %lld, and this program knows version %d", (long long)version,
                  RECORD_VERSION);
        return error_hint(err, "use the version of machine that made this VM, or a later one");
}

static int read_record(const json_t *object, struct vm_record *record, struct error **err)
{
        if (read_version(object, err) < 0 || read_intent(object, &record->intent, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                if (read_field(object, &fields[i], record, err) < 0)
                        return -1;
        if (!text_name_valid(record->name) || (record->becomes && !text_name_valid(record->becomes)) ||
            (record->former && !text_name_valid(record->former)))
                return error_set(err, ERROR_FAILED, "member 'name', 'becomes' or 'former' is not a valid VM name");
        return read_ports(object, record, err);
}

static int read_file(const char *folder, const char *name, struct vm_record *out, struct error **err)
{
        _cleanup_(freep) char *path = path_join(folder, name);
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(json_decrefp) json_t *object = json_read(path, RECORD_LIMIT, err);

        if (!object)
                return -1;
        if (read_record(object, &record, err) < 0)
                return error_wrap(err, "cannot use '%s'", path);
        vm_record_clear(out);
        *out = record;
        record = (struct vm_record)VM_RECORD_INIT;
        return 0;
}

int vm_record_read(const char *folder, struct vm_record *out, struct error **err)
{
        return read_file(folder, VM_RECORD_FILE, out, err);
}

bool vm_record_check(const char *folder)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;

        return vm_record_read(folder, &record, NULL) == 0;
}

int vm_record_read_copy(const char *folder, struct vm_record *out, struct error **err)
{
        return read_file(folder, VM_RECORD_COPY, out, err);
}

/* JSON can't hold a string that isn't UTF-8. Only `owner`, a path, can be one. */
static int write_text(json_t *object, const char *key, const char *text, struct error **err)
{
        json_t *value = text ? json_string(text) : json_null();

        if (!value)
                return error_set(err, ERROR_FAILED, "its %s is not UTF-8", key);
        json_object_set_new(object, key, value);
        return 0;
}

static int write_texts(json_t *object, const char *key, const struct strv *texts, struct error **err)
{
        json_t *array = json_array();

        json_object_set_new(object, key, array);
        for (size_t i = 0; i < texts->count; i++)
                if (json_array_append_new(array, json_string(texts->items[i])) < 0)
                        return error_set(err, ERROR_FAILED, "one of its %s is not UTF-8", key);
        return 0;
}

static int write_field(json_t *object, const struct field *field, const struct vm_record *record, struct error **err)
{
        const void *source = (const char *)record + field->offset;

        switch (field->type) {
        case FIELD_TEXT:
                if (!*(char *const *)source || !**(char *const *)source)
                        return error_set(err, ERROR_FAILED, "it has no %s", field->key);
                return write_text(object, field->key, *(char *const *)source, err);
        case FIELD_OPTIONAL_TEXT:
                return write_text(object, field->key, *(char *const *)source, err);
        case FIELD_COUNT:
                json_object_set_new(object, field->key, json_integer(*(const int64_t *)source));
                return 0;
        case FIELD_OPTIONAL_BOOL:
        case FIELD_BOOL:
                json_object_set_new(object, field->key, json_boolean(*(const bool *)source));
                return 0;
        case FIELD_TEXTS:
        case FIELD_OPTIONAL_TEXTS:
                return write_texts(object, field->key, source, err);
        }
        return error_set(err, ERROR_FAILED, "its %s has no known type", field->key);
}

static int describe(const struct vm_record *record, json_t *object, struct error **err)
{
        json_t *ports = json_array();

        json_object_set_new(object, "version", json_integer(RECORD_VERSION));
        json_object_set_new(object, "intent", json_string(intents[record->intent]));
        json_object_set_new(object, "ports", ports);
        for (size_t i = 0; i < record->port_count; i++)
                json_array_append_new(ports,
                                      json_pack("{s:i, s:i}", "host", record->ports[i].host, "guest", record->ports[i].guest));
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                if (write_field(object, &fields[i], record, err) < 0)
                        return error_wrap(err, "cannot record VM '%s'", record->name ? record->name : "");
        return 0;
}

/* Not synced, because it is only for a record that is damaged later. An old copy is worse than none. */
static void write_copy(const char *folder, const json_t *object)
{
        _cleanup_(freep) char *copy = path_join(folder, VM_RECORD_COPY);
        _cleanup_(freep) char *temporary = path_join(folder, ".tmp-" VM_RECORD_COPY);
        _cleanup_(freep) char *text = json_text(object);

        if (file_is_folder(copy))
                file_set_aside(copy, NULL, NULL);
        if (file_remove(temporary, NULL) == 0 && file_write_scratch(temporary, text, 0600, NULL) == 0 &&
            rename(temporary, copy) == 0)
                return;
        file_remove(temporary, NULL);
        unlink(copy);
}

int vm_record_write(const char *folder, const struct vm_record *record, struct error **err)
{
        _cleanup_(freep) char *path = path_join(folder, VM_RECORD_FILE);
        _cleanup_(json_decrefp) json_t *object = json_object();

        if (describe(record, object, err) < 0 || json_write(path, object, 0600, err) < 0)
                return -1;
        write_copy(folder, object);
        return 0;
}
