/*
 * The small things every file uses: allocation that can't fail, clean-up by scope, ownership that is handed on.
 *
 * Memory: xmalloc() and its kin end the program when there is none left, in one place (util.c), so callers never check.
 * Clean-up: `_cleanup_(freep) char *path = NULL;` frees when the scope ends; TAKE_PTR() and TAKE_FD() hand the thing to
 * the caller instead.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _printf_(at, first) __attribute__((format(printf, at, first)))
#define _unused_            __attribute__((unused))
#define _noreturn_          __attribute__((noreturn))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Hands a pointer, or a descriptor, to somebody else: the variable no longer owns it. */
#define TAKE_PTR(pointer)                                                                                                      \
        ({                                                                                                                     \
                __typeof__(pointer) *_p = &(pointer);                                                                          \
                __typeof__(pointer) _taken = *_p;                                                                              \
                *_p = NULL;                                                                                                    \
                _taken;                                                                                                        \
        })
#define TAKE_FD(fd)                                                                                                            \
        ({                                                                                                                     \
                int *_p = &(fd);                                                                                               \
                int _taken = *_p;                                                                                              \
                *_p = -1;                                                                                                      \
                _taken;                                                                                                        \
        })

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
/* Room for `count` elements of `size` bytes; ends the program when the product overflows. */
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text); /* NULL stays NULL */
char *xstrndup(const char *text, size_t length);
void *xmemdup(const void *data, size_t size);
char *xasprintf(const char *format, ...) _printf_(1, 2);
char *xvasprintf(const char *format, va_list args) _printf_(1, 0);

/* For _cleanup_: free(), close(), fclose() of what the variable holds. */
void freep(void *pointer_to_pointer);
void closep(int *fd); /* keeps errno; does nothing for -1 */
void fclosep(FILE **file);

/* write(2) until all is written, however often it is interrupted or takes a part only. Returns 0, or -1 with errno. */
int write_all(int fd, const void *data, size_t length);

/* Replaces *target by `value` (owned from now on), freeing what was there. */
void set_string(char **target, char *value);

static inline bool streq(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

/* Are both NULL, or both the same text? */
static inline bool streq_ptr(const char *a, const char *b)
{
        return a && b ? streq(a, b) : a == b;
}

static inline bool starts_with(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool ends_with(const char *text, const char *suffix);
