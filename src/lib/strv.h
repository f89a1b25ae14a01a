/*
 * A list of strings that grows, always ended by NULL so that it can be an argv. Owns its strings.
 *
 *         _cleanup_(strv_clear) struct strv argv = STRV_INIT;
 *         strv_adds(&argv, "ssh", "-F", config, NULL);
 */
#pragma once

#include "lib/util.h"

struct strv {
        char **items; /* NULL while empty; use strv_argv() for an argv */
        size_t count;
        size_t room;
};

#define STRV_INIT                                                                                                              \
        {                                                                                                                      \
                0                                                                                                              \
        }

void strv_clear(struct strv *list);
void strv_add(struct strv *list, const char *text);
void strv_take(struct strv *list, char *text); /* owned from now on */
void strv_addf(struct strv *list, const char *format, ...) _printf_(2, 3);
void strv_adds(struct strv *list, const char *first, ...) __attribute__((sentinel));
void strv_add_all(struct strv *list, const struct strv *other);
/* Appends the parts of `text` between these characters, but no empty ones. */
void strv_split(struct strv *list, const char *text, const char *separators);
bool strv_contains(const struct strv *list, const char *text);
bool strv_equal(const struct strv *a, const struct strv *b);
bool strv_begins_with(const struct strv *list, const struct strv *beginning);
void strv_remove(struct strv *list, size_t index); /* and frees it */
void strv_sort(struct strv *list);                 /* by bytes */
/* As an argv ended by NULL, valid until the list changes; never NULL. */
const char *const *strv_argv(const struct strv *list);
/* Items with `separator` between. Owned by the caller. */
char *strv_join(const struct strv *list, const char *separator);
