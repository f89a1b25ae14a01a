#include "lib/error.h"

#include <errno.h>

#include "lib/text.h"

static const struct {
        const char *name;
        int exit_status;
} kinds[] = {
        [ERROR_FAILED] = { "failed", 1 }, [ERROR_USAGE] = { "usage", 2 },
        [ERROR_CONFIG] = { "config", 3 }, [ERROR_NOT_FOUND] = { "not-found", 4 },
        [ERROR_ENGINE] = { "engine", 5 }, [ERROR_STEP] = { "step", 6 },
        [ERROR_WORK] = { "work", 7 },     [ERROR_INTERRUPTED] = { "interrupted", 130 },
};

/* Puts a new error with `message` (owned from now on) into *err, and frees the one that is already there. */
static int put(struct error **err, enum error_kind kind, char *message)
{
        struct error *error;

        if (!err) {
                free(message);
                return -1;
        }
        error = xcalloc(1, sizeof(*error));
        error->kind = kind;
        error->message = message;
        error_free(*err);
        *err = error;
        return -1;
}

int error_set(struct error **err, enum error_kind kind, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        put(err, kind, xvasprintf(format, args));
        va_end(args);
        return -1;
}

int error_errno(struct error **err, enum error_kind kind, const char *format, ...)
{
        int number = errno;
        _cleanup_(freep) char *what = NULL;
        va_list args;

        va_start(args, format);
        what = xvasprintf(format, args);
        va_end(args);
        put(err, kind, xasprintf("%s: %s", what, strerror(number)));
        if (err)
                (*err)->number = number;
        errno = number;
        return -1;
}

int error_at_list(struct error **err, const char *file, unsigned line, unsigned column, const char *format, va_list args)
{
        _cleanup_(freep) char *place = xstrdup(file); /* it may be the old error's */

        put(err, ERROR_CONFIG, xvasprintf(format, args));
        if (err) {
                (*err)->file = TAKE_PTR(place);
                (*err)->line = line;
                (*err)->column = column;
        }
        return -1;
}

int error_at(struct error **err, const char *file, unsigned line, unsigned column, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        error_at_list(err, file, line, column, format, args);
        va_end(args);
        return -1;
}

int error_wrap(struct error **err, const char *format, ...)
{
        struct error *cause;
        struct error *error;
        va_list args;

        if (!err)
                return -1;
        cause = TAKE_PTR(*err);
        va_start(args, format);
        put(err, cause ? cause->kind : ERROR_FAILED, xvasprintf(format, args));
        va_end(args);
        if (!cause)
                return -1;

        error = *err;
        error->hint = TAKE_PTR(cause->hint);
        error->file = TAKE_PTR(cause->file);
        error->line = cause->line;
        error->column = cause->column;
        error->next = TAKE_PTR(cause->next);
        error->cause = cause;
        return -1;
}

int error_hint(struct error **err, const char *format, ...)
{
        va_list args;

        if (!err || !*err)
                return -1;
        va_start(args, format);
        set_string(&(*err)->hint, xvasprintf(format, args));
        va_end(args);
        return -1;
}

int error_hint_else(struct error **err, const char *format, ...)
{
        va_list args;

        if (!err || !*err || (*err)->hint)
                return -1;
        va_start(args, format);
        (*err)->hint = xvasprintf(format, args);
        va_end(args);
        return -1;
}

int error_passes(struct error **err, const char *why)
{
        if (err && *err)
                (*err)->passes = why;
        return -1;
}

/* Each of several errors of the same rank has its own reason. */
int error_again(struct error **err, const char *command)
{
        for (struct error *each = err ? *err : NULL; each; each = each->next) {
                struct error *at = each;

                while (at && !at->passes)
                        at = at->cause;
                if (!at)
                        continue;
                set_string(&each->hint, xasprintf("%s%s%s goes on from where it stopped, and %s", each->hint ? each->hint : "",
                                                  each->hint ? "; or run it again: " : "run it again: ", command, at->passes));
                at->passes = NULL;
        }
        return -1;
}

int error_set_kind(struct error **err, enum error_kind kind)
{
        if (err && *err)
                (*err)->kind = kind;
        return -1;
}

void error_append(struct error **err, struct error *more)
{
        if (!err) {
                error_free(more);
                return;
        }
        while (*err)
                err = &(*err)->next;
        *err = more;
}

int error_give(struct error **err, struct error *errors)
{
        if (!errors)
                return 0;
        if (err)
                *err = errors;
        else
                error_free(errors);
        return -1;
}

bool error_is_no_room(const struct error *error)
{
        for (; error; error = error->cause)
                if (error->number == ENOSPC || error->number == EDQUOT)
                        return true;
        return false;
}

void error_free(struct error *error)
{
        while (error) {
                struct error *next = error->next;

                error_free(error->cause);
                free(error->message);
                free(error->hint);
                free(error->file);
                free(error);
                error = next;
        }
}

void error_freep(struct error **error)
{
        error_free(*error);
}

int error_exit_status(const struct error *error)
{
        return error ? kinds[error->kind].exit_status : 0;
}

const char *error_kind_name(enum error_kind kind)
{
        return kinds[kind].name;
}

char *error_text(const struct error *error)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        for (const struct error *e = error; e; e = e->cause) {
                if (e != error)
                        strbuf_adds(&text, ": ");
                text_visible(&text, e->message, strlen(e->message));
        }
        return strbuf_take(&text);
}

char *error_placed_text(const struct error *error)
{
        _cleanup_(freep) char *text = error_text(error);

        return error->file ? xasprintf("%s:%u:%u: %s", error->file, error->line, error->column, text) : TAKE_PTR(text);
}
