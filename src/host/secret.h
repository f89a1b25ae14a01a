/*
 * A secret on this computer: kept in locked memory that is wiped (sodium_malloc(3)), read from a program's stdout or the
 * environment, and never part of an argument, a file or a message.
 */
#pragma once

#include "lib/error.h"

struct secret {
        char *data;    /* not ended by a NUL; NULL = none */
        size_t length; /* without the line end that programs print after it */
};

#define SECRET_INIT                                                                                                            \
        {                                                                                                                      \
                0                                                                                                              \
        }
void secret_clear(struct secret *secret);

#define SECRET_MOST (64 << 10) /* bytes of one */

/* Turns off core dumps of this process and of what it starts. Call it before the first secret is read. */
int secret_forbid_core(struct error **err);
/*
 * Gives what a program prints. ERROR_FAILED when the program isn't there, fails (with the last line of its stderr), takes
 * longer, prints nothing, more than SECRET_MOST, or (unless `raw`) a NUL. With `first_line`, only the first line counts.
 */
int secret_run(const char *const *argv, bool first_line, bool raw, int timeout_ms, struct secret *out, struct error **err);
/* The value of a variable of our environment. */
int secret_take(const char *variable, struct secret *out, struct error **err);
/* Room for `length` bytes, wiped when it is freed (sodium_free(3)); never NULL. */
char *secret_memory(size_t length);
/* A copy of `length` bytes. */
void secret_set(struct secret *out, const void *data, size_t length);
