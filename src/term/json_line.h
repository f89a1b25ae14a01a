/*
 * JSON Lines on stdout: one value a line, flushed, so that a program sees each as it happens.
 */
#pragma once

#include "lib/json.h"

/* A text as JSON, NULL as null. What is no UTF-8 (a guest's line, a file's name) has no form there: it is made visible first.
 */
json_t *json_line_text(const char *text);
void json_line_print(const json_t *value);
