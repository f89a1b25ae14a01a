/* How many columns texts take, and where they are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>

#include "term/width.h"

static void texts_have_the_width_that_a_terminal_gives_them(void **state)
{
        static const struct {
                const char *text;
                size_t columns;
        } table[] = {
                { "", 0 },     { "blog", 4 }, { "müsli", 5 }, { "mu\xcc\x88sli", 5 },
                { "日本", 4 }, { "é", 1 },    { "…", 1 },     { "✓", 1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                assert_int_equal(width_of(table[i].text), table[i].columns);
}

static void bytes_that_are_no_utf8_count_one_column_each(void **state)
{
        assert_int_equal(width_of("\xff\xfe"), 2);
        assert_int_equal(width_of("a\xc3"), 2);
        assert_int_equal(width_of("\xe2\x9c"), 2);
        assert_int_equal(width_of("\xe2\x9cz"), 3);
}

static void a_cut_never_splits_a_character(void **state)
{
        assert_int_equal(width_cut("日本", 4), 6);
        assert_int_equal(width_cut("日本", 3), 3);
        assert_int_equal(width_cut("日本", 1), 0);
        assert_int_equal(width_cut("mu\xcc\x88sli", 2), 4);
        assert_int_equal(width_cut("blog", 10), 4);
}

static void what_does_not_fit_ends_with_an_ellipsis(void **state)
{
        static const struct {
                const char *text;
                size_t columns;
                bool unicode;
                const char *shown;
        } table[] = {
                { "building", 8, true, "building" }, { "building", 7, true, "buildi…" }, { "building", 7, false, "buil..." },
                { "building", 1, true, "…" },        { "building", 2, false, "" },       { "building", 0, true, "" },
                { "日本語", 5, true, "日本…" },      { "日本語", 4, true, "日…" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
                size_t used = width_add(&out, table[i].text, table[i].columns, table[i].unicode);

                assert_string_equal(out.buf, table[i].shown);
                assert_true(width_of(out.buf) <= used && used <= table[i].columns);
        }
}

static void a_wrapped_text_breaks_at_spaces_else_after_commas_and_slashes_and_loses_nothing(void **state)
{
        static const struct {
                const char *text;
                size_t columns, indent;
                const char *shown;
        } table[] = {
                { "one two three", SIZE_MAX, 2, "one two three" }, { "one two three", 13, 0, "one two three" },
                { "one two three", 12, 2, "one two\n  three" },    { "/home/jane/code", 12, 0, "/home/jane/\ncode" },
                { "python,rust,go", 12, 0, "python,rust,\ngo" },   { "abcdefghijklmnop", 10, 0, "abcdefghij\nklmnop" },
                { "日本語日本語", 9, 0, "日本語日\n本語" },        { "narrow terminal", 3, 1, "narrow\n terminal" },
                { "ends in space    ", 13, 0, "ends in space" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

                width_wrap(&out, table[i].text, table[i].columns, table[i].indent);
                assert_string_equal(out.buf, table[i].shown);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts_have_the_width_that_a_terminal_gives_them),
                cmocka_unit_test(bytes_that_are_no_utf8_count_one_column_each),
                cmocka_unit_test(a_cut_never_splits_a_character),
                cmocka_unit_test(a_wrapped_text_breaks_at_spaces_else_after_commas_and_slashes_and_loses_nothing),
                cmocka_unit_test(what_does_not_fit_ends_with_an_ellipsis),
        };

        if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, "en_US.UTF-8")) {
                fputs("no UTF-8 locale here\n", stderr);
                return 77;
        }
        return cmocka_run_group_tests_name("term/width", tests, NULL, NULL);
}
