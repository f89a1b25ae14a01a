/*
 * The mistakes of a failed read, as text that a test can compare with what it expects: "file:line:column: message [hint]\n" for
 * each mistake.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/project.h"
#include "lib/strbuf.h"

static inline char *mistakes_text(const struct error *error)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        for (; error; error = error->next) {
                _cleanup_(freep) char *message = error_text(error);

                assert_int_equal(error->kind, ERROR_CONFIG);
                strbuf_addf(&text, "%s:%u:%u: %s", error->file ? error->file : "", error->line, error->column, message);
                strbuf_addf(&text, error->hint ? " [%s]\n" : "%s\n", error->hint ? error->hint : "");
        }
        return strbuf_take(&text);
}

/* Checks that `error` has exactly these mistakes, and frees it. */
static inline void assert_mistakes(struct error *error, const char *expected)
{
        _cleanup_(freep) char *text = mistakes_text(error);

        error_free(error);
        assert_string_equal(text, expected);
}

/* Checks that `text` as projects.toml has exactly these mistakes. */
static inline void assert_projects_mistakes(const char *text, const char *expected)
{
        struct projects projects = PROJECTS_INIT;
        struct error *error = NULL;

        assert_int_equal(projects_parse(text, strlen(text), "p.toml", &projects, &error), -1);
        assert_null(projects.items);
        assert_mistakes(error, expected);
}
