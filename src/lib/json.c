#include "lib/json.h"

#include <assert.h>

#include "lib/file.h"
#include "lib/text.h"

json_t *json_parse(const char *text, size_t length, const char *name, struct error **err)
{
        json_error_t reason;
        json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &reason);
        _cleanup_(freep) char *shown = NULL;

        if (value)
                return value;
        /* jansson quotes the text it stumbled over. */
        shown = text_visible_dup(reason.text);
        if (reason.line > 0)
                error_set(err, ERROR_FAILED, "%s is not valid JSON: line %d, column %d: %s", name, reason.line, reason.column,
                          shown);
        else
                error_set(err, ERROR_FAILED, "%s is not valid JSON: %s", name, shown);
        return NULL;
}

json_t *json_read(const char *path, size_t limit, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *name = xasprintf("'%s'", path);

        if (file_read(path, limit, &text, err) < 0)
                return NULL;
        return json_parse(text.buf, text.len, name, err);
}

/* NULL from jansson means no memory or a value that contains itself; callers handle neither. */
static char *dump(const json_t *value, size_t flags)
{
        char *text = json_dumps(value, flags | JSON_ENCODE_ANY);

        assert(text);
        return text;
}

int json_write(const char *path, const json_t *value, mode_t mode, struct error **err)
{
        _cleanup_(freep) char *text = dump(value, JSON_INDENT(2));
        _cleanup_(freep) char *lines = xasprintf("%s\n", text);

        return file_write_text(path, lines, mode, err);
}

json_t *json_strings(const struct strv *texts)
{
        json_t *array = json_array();

        for (size_t i = 0; i < texts->count; i++)
                json_array_append_new(array, json_string(texts->items[i]));
        return array;
}

char *json_text(const json_t *value)
{
        return dump(value, JSON_COMPACT);
}

/* The member of that type, or NULL with an error; `wanted` is the type in words. */
static json_t *get(const json_t *object, const char *key, bool (*fits)(const json_t *value), const char *wanted,
                   struct error **err)
{
        json_t *value = json_object_get(object, key);

        if (!value) {
                error_set(err, ERROR_FAILED, "member '%s' is missing", key);
                return NULL;
        }
        if (!fits(value)) {
                error_set(err, ERROR_FAILED, "member '%s' is not %s", key, wanted);
                return NULL;
        }
        return value;
}

static bool is_string(const json_t *value)
{
        return json_is_string(value);
}

static bool is_integer(const json_t *value)
{
        return json_is_integer(value);
}

static bool is_boolean(const json_t *value)
{
        return json_is_boolean(value);
}

static bool is_object(const json_t *value)
{
        return json_is_object(value);
}

static bool is_array(const json_t *value)
{
        return json_is_array(value);
}

int json_get_string(const json_t *object, const char *key, const char **out, struct error **err)
{
        const json_t *value = get(object, key, is_string, "a string", err);

        if (!value)
                return -1;
        *out = json_string_value(value);
        return 0;
}

int json_get_int(const json_t *object, const char *key, int64_t *out, struct error **err)
{
        const json_t *value = get(object, key, is_integer, "a whole number", err);

        if (!value)
                return -1;
        *out = json_integer_value(value);
        return 0;
}

int json_get_bool(const json_t *object, const char *key, bool *out, struct error **err)
{
        const json_t *value = get(object, key, is_boolean, "true or false", err);

        if (!value)
                return -1;
        *out = json_boolean_value(value);
        return 0;
}

int json_get_object(const json_t *object, const char *key, json_t **out, struct error **err)
{
        json_t *value = get(object, key, is_object, "an object", err);

        if (!value)
                return -1;
        *out = value;
        return 0;
}

int json_get_array(const json_t *object, const char *key, json_t **out, struct error **err)
{
        json_t *value = get(object, key, is_array, "an array", err);

        if (!value)
                return -1;
        *out = value;
        return 0;
}
