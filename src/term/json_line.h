/*
 * JSON Lines on stdout: one value a line, flushed, so that a program sees each as it happens.
 */
#pragma once

#include "lib/json.h"

/* Returns a text as JSON, NULL as null. A text that isn't UTF-8 (a guest's line, a file's name) has no form in JSON, so it is
 * made visible first. */
json_t *json_line_text(const char *text);
void json_line_print(const json_t *value);
