/*
 * What went wrong, with what, why, and what to type next.
 *
 * Every function that can fail returns 0 or -1 and takes `struct error **err` last. On failure it puts a new error there
 * (unless err is NULL; an error that is already there is freed); on success it leaves it alone. An error is built where the
 * thing happened, wrapped where context is added, handed up, and printed once, in main(). Messages: lower case, no full stop,
 * names in single quotes.
 *
 *         if (open(path, O_RDONLY | O_CLOEXEC) < 0)
 *                 return error_errno(err, ERROR_FAILED, "cannot open '%s'", path);
 *         ...
 *         if (disk_create(vm, err) < 0)
 *                 return error_wrap(err, "cannot create VM '%s'", vm->name);
 *
 * Owner: the caller that passed `err`; error_free() frees the whole chain.
 */
#pragma once

#include <stdarg.h>

#include "lib/util.h"

/* The kind decides the exit status (error_exit_status) and the "kind" field of JSON output (error_kind_name). */
enum error_kind {
        ERROR_FAILED,      /* 1 "failed" */
        ERROR_USAGE,       /* 2 "usage" */
        ERROR_CONFIG,      /* 3 "config" */
        ERROR_NOT_FOUND,   /* 4 "not-found": no such project or VM */
        ERROR_ENGINE,      /* 5 "engine" */
        ERROR_STEP,        /* 6 "step": a step in the guest */
        ERROR_WORK,        /* 7 "work": refused to lose work */
        ERROR_INTERRUPTED, /* 130 "interrupted" */
};

struct error {
        enum error_kind kind;
        char *message;
        char *hint;            /* the next command to type, or what to change; NULL = none */
        char *file;            /* where in the user's files; NULL = nowhere */
        unsigned line, column; /* from 1; 0 = unknown */
        int number;            /* errno, where a system call failed; else 0 */
        const char *passes;    /* why it may go well the next time (error_passes()); NULL = it won't by itself */
        struct error *cause;   /* the error that caused it; NULL = none */
        struct error *next;    /* a further error of the same rank (a file's other mistakes) */
};

/* All return -1, so that a caller can `return error_set(...)`. */
int error_set(struct error **err, enum error_kind kind, const char *format, ...) _printf_(3, 4);
/* Like error_set(), followed by ": " and strerror(errno). */
int error_errno(struct error **err, enum error_kind kind, const char *format, ...) _printf_(3, 4);
/* An ERROR_CONFIG at a place in a file the user wrote. */
int error_at(struct error **err, const char *file, unsigned line, unsigned column, const char *format, ...) _printf_(5, 6);
/* The same with the arguments of a function that has them as its own. */
int error_at_list(struct error **err, const char *file, unsigned line, unsigned column, const char *format, va_list args)
        _printf_(5, 0);
/*
 * Puts a message in front; the old error becomes the cause. Kind, hint, place and further errors (next) are taken from the old
 * error; hint, place and further errors are then found in the new one only.
 */
int error_wrap(struct error **err, const char *format, ...) _printf_(2, 3);

/* Sets the hint of the newest error (replacing one). Returns -1. */
int error_hint(struct error **err, const char *format, ...) _printf_(2, 3);
/* The same, unless it has a hint: what found the cause knows better what helps. Returns -1. */
int error_hint_else(struct error **err, const char *format, ...) _printf_(2, 3);
/*
 * For what may pass by itself. Where it happens, error_passes() says why it may go well the next time: a clause that follows
 * "and", static. Where it is known what the user typed, error_again() adds that to the hint, with the command; it does nothing
 * for an error of which nobody said that it passes. Both return -1.
 */
int error_passes(struct error **err, const char *why);
int error_again(struct error **err, const char *command);
/* Changes the kind of the newest error. Returns -1. */
int error_set_kind(struct error **err, enum error_kind kind);

/* Adds `more` (owned from now on) after the errors that *err already holds. */
void error_append(struct error **err, struct error *more);

/* Hands all of `errors` up and returns -1; returns 0 when `errors` is NULL. */
int error_give(struct error **err, struct error *errors);
void error_free(struct error *error); /* with causes and nexts; may be NULL */
void error_freep(struct error **error);

/* Did it, or what caused it, fail because a file system has no room left for us (ENOSPC, EDQUOT)? */
bool error_is_no_room(const struct error *error);
int error_exit_status(const struct error *error);
const char *error_kind_name(enum error_kind kind);

/* "message: cause: cause" in one line, control characters made visible. Owned by the caller. */
char *error_text(const struct error *error);
/* The same with "FILE:LINE:COLUMN: " in front, when it is about a place in a file. Owned by the caller. */
char *error_placed_text(const struct error *error);
