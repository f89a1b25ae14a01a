/* What a guest said, as text for a model. */
#include "../lib/check.h"

#include "mcp/text.h"

static void expect_said(const char *said, size_t length, const char *shown)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        text_add_said(&text, said, length);
        assert_string_equal(text.buf, shown);
}

#define SAID(said, shown) expect_said(said, sizeof(said) - 1, shown)

static void lines_and_tabs_stay_and_all_else_is_visible(void **state)
{
        SAID("", "");
        SAID("a\tb\n\nc", "a\tb\n\nc");
        SAID("a\r\nb\r\n", "a\nb\n");
        SAID("a\rb", "a\\x0db");
        SAID("\n\r\n", "\n\n");
        SAID("\x1b[31m\xff\0x\xc3\xbc", "\\x1b[31m\\xff\\x00x\xc3\xbc");
}

static void what_was_cut_is_said_where_it_was_cut(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT, text = STRBUF_INIT, whole = STRBUF_INIT;

        strbuf_adds(&said, "ab\ncd\n");
        text_add_cut(&text, &said, 3, 5);
        assert_string_equal(text.buf, "ab\n\n[… 5 bytes are left out here …]\ncd\n");
        text_add_cut(&whole, &said, 3, 0);
        assert_string_equal(whole.buf, "ab\ncd\n");
}

static void plain_text_can_be_given_back_as_it_is(void **state)
{
        static const struct {
                const char *text;
                bool plain;
        } cases[] = {
                { "", true },      { "a\n\tb", true },        { "a\r\nb\r\n", true }, { "\xc3\xbc", true },
                { "a\rb", false }, { "\x1b", false },         { "\xff", false },      { "\xc3", false },
                { "\x7f", false }, { "\xe2\x80\xae", false }, /* a bidirectional override */
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(text_is_plain(cases[i].text, strlen(cases[i].text)), cases[i].plain);
        assert_false(text_is_plain("a\0b", 3));
}

static void an_error_says_who_can_do_what_it_hints_at(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        struct error *more = NULL;

        error_set(&error, ERROR_FAILED, "one");
        error_hint(&error, "machine up blog");
        error_set(&more, ERROR_FAILED, "two");
        error_hint(&more, "its logs are: console");
        error_append(&error, more);
        text_add_error(&text, error);
        assert_string_equal(text.buf,
                            "one\nWhat a person can do on the host: machine up blog\n\ntwo\nHint: its logs are: console");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_and_tabs_stay_and_all_else_is_visible),
                cmocka_unit_test(what_was_cut_is_said_where_it_was_cut),
                cmocka_unit_test(plain_text_can_be_given_back_as_it_is),
                cmocka_unit_test(an_error_says_who_can_do_what_it_hints_at),
        };

        return cmocka_run_group_tests_name("mcp/text", tests, NULL, NULL);
}
