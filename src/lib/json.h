/*
 * JSON by jansson, with our errors and limits. Reference counting is jansson's (json_decref); so is json_decrefp(), for
 * _cleanup_.
 */
#pragma once

#include <jansson.h>

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/* Parses one value (object or array). `name` is what the error calls the text. Depth is limited by jansson (2048), duplicate
 * keys are an error. */
json_t *json_parse(const char *text, size_t length, const char *name, struct error **err);
/* Reads and parses a file of at most `limit` bytes. */
json_t *json_read(const char *path, size_t limit, struct error **err);
/* Writes with file_write(): indented by 2, keys in the order of insertion, with a line end. */
int json_write(const char *path, const json_t *value, mode_t mode, struct error **err);
/* An array of these texts; one that isn't UTF-8 is left out. */
json_t *json_strings(const struct strv *texts);
/* In one line, without a line end. Owned by the caller. */
char *json_text(const json_t *value);

/* Members with a type. A missing or ill-typed one is ERROR_FAILED naming the key; `out` is then untouched. Strings are
 * borrowed. */
int json_get_string(const json_t *object, const char *key, const char **out, struct error **err);
int json_get_int(const json_t *object, const char *key, int64_t *out, struct error **err);
int json_get_bool(const json_t *object, const char *key, bool *out, struct error **err);
int json_get_object(const json_t *object, const char *key, json_t **out, struct error **err);
int json_get_array(const json_t *object, const char *key, json_t **out, struct error **err);
