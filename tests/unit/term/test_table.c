/* Tables are aligned by what is seen, and harmless whatever is in the cells. */
#include "capture.h"

#include <locale.h>

#include "term/table.h"

static const char *const headings[] = { "NAME", "STATE", "REPOS", NULL };

static char *printed(const struct table *table)
{
        char *text = NULL;
        size_t length;
        FILE *file = open_memstream(&text, &length);

        assert_non_null(file);
        table_print(table, file);
        fclose(file);
        return text;
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(freep) char *text = NULL;

        table_add(table, (const char *const[]){ "blog", "running", "one, two" });
        table_add(table, (const char *const[]){ "a-longer-name", "stopped", "" });
        text = printed(table);
        assert_string_equal(text, "NAME           STATE    REPOS\n"
                                  "blog           running  one, two\n"
                                  "a-longer-name  stopped  \n");
}

static void an_empty_table_has_its_headings(void **state)
{
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(freep) char *text = printed(table);

        assert_string_equal(text, "NAME  STATE  REPOS\n");
}

static void a_missing_cell_is_a_dash(void **state)
{
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(freep) char *text = NULL;

        table_add(table, (const char *const[]){ NULL, "x", NULL });
        text = printed(table);
        assert_string_equal(text, "NAME  STATE  REPOS\n-     x      -\n");
}

static void a_narrow_screen_wraps_the_last_column_or_gets_paragraphs(void **state)
{
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(strbuf_clear) struct strbuf rows = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf paragraphs = STRBUF_INIT;

        table_add(table, (const char *const[]){ "blog", "running", "https://example.org/jane/blog.git" });
        table_add(table, (const char *const[]){ "shop", "absent", NULL });
        table_add_to(table, 36, &rows);
        assert_string_equal(rows.buf, "NAME  STATE    REPOS\n"
                                      "blog  running  https://example.org/\n"
                                      "               jane/blog.git\n"
                                      "shop  absent   -\n");
        table_add_to(table, 20, &paragraphs);
        assert_string_equal(paragraphs.buf, "blog\n"
                                            "  STATE  running\n"
                                            "  REPOS  https://\n"
                                            "         example.org\n"
                                            "         /jane/\n"
                                            "         blog.git\n"
                                            "\n"
                                            "shop\n"
                                            "  STATE  absent\n");
}

static void wide_letters_are_counted_as_wide(void **state)
{
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(freep) char *text = NULL;

        table_add(table, (const char *const[]){ "日本", "é", "x" });
        text = printed(table);
        assert_string_equal(text, "NAME  STATE  REPOS\n日本  é      x\n");
}

static void control_characters_are_shown_and_not_obeyed(void **state)
{
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(freep) char *text = NULL;

        table_add(table, (const char *const[]){ "a\033[2Jb", "line\nend", "x" });
        text = printed(table);
        assert_null(strchr(text, '\033'));
        assert_non_null(strstr(text, "\\x1b[2J"));
        assert_non_null(strstr(text, "line\\x0aend"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
                cmocka_unit_test(an_empty_table_has_its_headings),
                cmocka_unit_test(a_missing_cell_is_a_dash),
                cmocka_unit_test(a_narrow_screen_wraps_the_last_column_or_gets_paragraphs),
                cmocka_unit_test(wide_letters_are_counted_as_wide),
                cmocka_unit_test(control_characters_are_shown_and_not_obeyed),
        };

        if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, "en_US.UTF-8")) {
                fputs("no UTF-8 locale here\n", stderr);
                return 77;
        }
        return cmocka_run_group_tests_name("term/table", tests, NULL, NULL);
}
