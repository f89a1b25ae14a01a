/* Text as people write and read it. */
#include "check.h"

#include "lib/text.h"

struct pair {
        const char *from;
        const char *to;
};

static void check_visible(const struct pair *pairs, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                _cleanup_(freep) char *text = text_visible_dup(pairs[i].from);

                assert_string_equal(text, pairs[i].to);
        }
}

static void plain_text_is_left_as_it_is(void **state)
{
        static const struct pair pairs[] = {
                { "", "" },
                { "a\tb ~", "a\tb ~" },
                { "Größe … 日本 👍", "Größe … 日本 👍" },
                { "\\x1b", "\\x1b" },
                { "\xc2\xa0\xf4\x8f\xbf\xbf", "\xc2\xa0\xf4\x8f\xbf\xbf" },
        };

        check_visible(pairs, ARRAY_SIZE(pairs));
}

static void control_characters_are_shown_not_sent(void **state)
{
        static const struct pair pairs[] = {
                { "\x1b[2J", "\\x1b[2J" },
                { "a\r\nb", "a\\x0d\\x0ab" },
                { "\x01\x1f\x7f", "\\x01\\x1f\\x7f" },
                { "\xc2\x80\xc2\x9b\xc2\x9f", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f" }, /* C1: U+009B alone is a CSI */
        };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        check_visible(pairs, ARRAY_SIZE(pairs));
        strbuf_adds(&out, "> ");
        text_visible(&out, "a\0b", 3);
        assert_string_equal(out.buf, "> a\\x00b");
}

static void bidirectional_overrides_are_shown(void **state)
{
        static const struct pair pairs[] = {
                { "\u202a\u202b\u202c\u202d\u202e",
                  "\\xe2\\x80\\xaa\\xe2\\x80\\xab\\xe2\\x80\\xac\\xe2\\x80\\xad\\xe2\\x80\\xae" },
                { "\u2066\u2067\u2068\u2069", "\\xe2\\x81\\xa6\\xe2\\x81\\xa7\\xe2\\x81\\xa8\\xe2\\x81\\xa9" },
                { "\u2029\u202f\u2065\u206a", "\u2029\u202f\u2065\u206a" },
                { "שלום", "שלום" },
        };

        check_visible(pairs, ARRAY_SIZE(pairs));
}

static void bytes_that_are_no_utf8_are_shown_one_by_one(void **state)
{
        static const struct pair pairs[] = {
                { "\x80 \xbf \xff", "\\x80 \\xbf \\xff" },
                { "\xc3", "\\xc3" },                                        /* cut off */
                { "\xe2\x80", "\\xe2\\x80" },                               /* cut off */
                { "\xf0\x9f\x91", "\\xf0\\x9f\\x91" },                      /* cut off */
                { "\xc3z", "\\xc3z" },                                      /* cut off in the middle */
                { "\xe2\x80z", "\\xe2\\x80z" },                             /* cut off in the middle */
                { "\xc0\xaf", "\\xc0\\xaf" },                               /* overlong / */
                { "\xc1\xbf", "\\xc1\\xbf" },                               /* overlong DEL */
                { "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },                      /* overlong / */
                { "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },                      /* overlong U+07FF */
                { "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },             /* overlong / */
                { "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" },             /* overlong U+FFFF */
                { "\xed\xa0\x80", "\\xed\\xa0\\x80" },                      /* surrogate U+D800 */
                { "\xed\xbf\xbf", "\\xed\\xbf\\xbf" },                      /* surrogate U+DFFF */
                { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },             /* U+110000 */
                { "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },             /* beyond */
                { "\xc3\xc3\xa4", "\\xc3\xc3\xa4" },                        /* the ä after it is complete */
                { "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" }, /* U+D7FF, U+E000 */
        };

        check_visible(pairs, ARRAY_SIZE(pairs));
}

static void a_character_is_not_read_beyond_the_length(void **state)
{
        static const char unended[] = { '\xe2', '\x80' };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        text_visible(&out, unended, sizeof(unended));
        text_visible(&out, "ä", 1);
        assert_string_equal(out.buf, "\\xe2\\x80\\xc3");
}

static void words_are_quoted_for_a_shell_where_they_must_be(void **state)
{
        static const struct pair pairs[] = {
                { "git", "git" },
                { "a-b_c./d:e@f%g+h,i", "a-b_c./d:e@f%g+h,i" },
                { "--name=value", "--name=value" },
                { "NAME=value", "'NAME=value'" },
                { "", "''" },
                { "a b", "'a b'" },
                { "it's", "'it'\\''s'" },
                { "'", "''\\'''" },
                { "$HOME `id` \"x\" \\", "'$HOME `id` \"x\" \\'" },
                { "~", "'~'" },
                { "a\nb", "'a\nb'" },
                { "a;b", "'a;b'" },
                { "*", "'*'" },
                { "#x", "'#x'" },
                { "ä", "'ä'" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

                text_shell_quote(&out, pairs[i].from);
                assert_string_equal(out.buf, pairs[i].to);
        }
}

static void an_argv_is_joined_with_each_word_quoted(void **state)
{
        const char *const argv[] = { "git", "commit", "-m", "it's done", "", NULL };
        const char *const none[] = { NULL };
        _cleanup_(freep) char *text = text_shell_join(argv);
        _cleanup_(freep) char *nothing = text_shell_join(none);

        assert_string_equal(text, "git commit -m 'it'\\''s done' ''");
        assert_string_equal(nothing, "");
}

static void a_path_in_a_hint_is_always_quoted(void **state)
{
        static const struct {
                const char *path, *quoted;
        } table[] = {
                { "/var/x.log", "'/var/x.log'" }, { "/a b/$HOME", "'/a b/$HOME'" }, { "it's", "'it'\\''s'" }, { "", "''" }
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *quoted = text_shell_path(table[i].path);

                assert_string_equal(quoted, table[i].quoted);
        }
}

static void the_nearest_candidate_is_suggested(void **state)
{
        static const char *const commands[] = { "up", "down", "list", "destroy", "rebuild", "ssh", "run", NULL };
        static const char *const near[] = { "abcdeX", "abcdef", "abcdXX", NULL };
        static const char *const none[] = { NULL };

        assert_string_equal(text_suggest("lsit", commands), "list");       /* a swap */
        assert_string_equal(text_suggest("destory", commands), "destroy"); /* a swap */
        assert_string_equal(text_suggest("lst", commands), "list");        /* one missing */
        assert_string_equal(text_suggest("downn", commands), "down");      /* one too many */
        assert_string_equal(text_suggest("rin", commands), "run");         /* another letter */
        assert_string_equal(text_suggest("rebuidl", commands), "rebuild");
        assert_string_equal(text_suggest("abcdef", near), "abcdef");
        assert_string_equal(text_suggest("abcdeY", near), "abcdeX"); /* the first of equals */
        assert_null(text_suggest("frobnicate", commands));
        assert_null(text_suggest("", commands));
        assert_null(text_suggest("up", none));
}

static void a_suggestion_is_no_further_off_than_a_third(void **state)
{
        static const char *const one[] = { "abcdef", NULL };

        assert_non_null(text_suggest("abcdXX", one));
        assert_null(text_suggest("abcXXX", one));
        assert_non_null(text_suggest("bcdefa", one)); /* one letter removed, one added */
        assert_null(text_suggest("abXd", one));
}

static void the_first_of_a_list_are_named(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        static const char *const wanted[] = { "", "a", "a and b\\x1b", "a, b\\x1b and c", "a, b\\x1b, c and 1 more" };
        static const char *const names[] = { "a", "b\x1b", "c", "d" };

        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
                _cleanup_(freep) char *text = text_first_of(&list, 3);

                assert_string_equal(text, wanted[i]);
                if (i < ARRAY_SIZE(names))
                        strv_add(&list, names[i]);
        }
}

static void sizes_are_powers_of_1024(void **state)
{
        static const struct {
                const char *text;
                int64_t bytes;
        } table[] = {
                { "0", 0 },
                { "4096", 4096 },
                { "1K", 1024 },
                { "1KiB", 1024 },
                { "512M", INT64_C(512) << 20 },
                { "512MiB", INT64_C(512) << 20 },
                { "8G", INT64_C(8) << 30 },
                { "8GiB", INT64_C(8) << 30 },
                { "1.5TiB", INT64_C(3) << 39 },
                { "6 GB", INT64_C(6) << 30 },
                { "6GB", INT64_C(6) << 30 },
                { "6 gib", INT64_C(6) << 30 },
                { "6g", INT64_C(6) << 30 },
                { "1.5  Tb", INT64_C(3) << 39 },
                { "2 m", INT64_C(2) << 20 },
                { "4kB", 4096 },
                { "0.5K", 512 },
                { "0.000001T", 1099511 },
                { "007K", 7168 },
                { "9223372036854775807", INT64_MAX },
                { "8388607T", INT64_C(8388607) << 40 },
                { "8388607.999999T", (INT64_C(8388607) << 40) + INT64_C(1099510528264) },
                { "9007199254740991K", INT64_C(9007199254740991) << 10 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                int64_t bytes = -1;

                if (text_parse_size(table[i].text, &bytes) < 0 || bytes != table[i].bytes)
                        fail_msg("'%s' is %lld bytes", table[i].text, (long long)bytes);
        }
}

static void what_is_no_size_is_refused(void **state)
{
        static const char *const texts[] = {
                "",       " ",   "G",    "GiB",  "-1",    "-1G",    "+1G",        " 1G",
                "1G ",    "1 ",  "1gbb", "1 B",  "1Gi",   "1GiBx",  "1B",         "1iB",
                "1P",     "1.5", "1.G",  ".5G",  "1..5G", "1.5.5G", "1,5G",       "0x10",
                "1e3",    "1GG", "1.5B", "nanG", "infG",  "٣G",     "1.0000001G", "1.1234567890123456789G",
                "1KiBiB",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                int64_t bytes = 42;

                if (text_parse_size(texts[i], &bytes) == 0)
                        fail_msg("'%s' is taken for %lld bytes", texts[i], (long long)bytes);
                assert_int_equal(bytes, 42);
        }
}

static void a_size_that_overflows_is_refused(void **state)
{
        static const char *const texts[] = {
                "9223372036854775808", "18446744073709551616", "99999999999999999999999999", "8388608T",
                "9007199254740992K",   "9223372036854775807K", "18014398509481984K", /* 2^64 would wrap around to 0 */
                "16777217T",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                int64_t bytes = 42;

                assert_int_equal(text_parse_size(texts[i], &bytes), -1);
                assert_int_equal(bytes, 42);
        }
}

static void sizes_are_shown_short(void **state)
{
        static const struct {
                int64_t bytes;
                const char *text;
        } table[] = {
                { 0, "0 B" },
                { 1, "1 B" },
                { 1023, "1023 B" },
                { 1024, "1.0 KiB" },
                { 1536, "1.5 KiB" },
                { 10 * 1024, "10 KiB" },
                { 10188, "9.9 KiB" },
                { 10189, "10 KiB" },
                { INT64_C(512) << 20, "512 MiB" },
                { (INT64_C(1) << 20) - 1, "1.0 MiB" },
                { INT64_C(8) << 30, "8.0 GiB" },
                { INT64_C(3) << 39, "1.5 TiB" },
                { INT64_MAX, "8.0 EiB" },
                { INT64_MIN, "-8.0 EiB" },
                { -1536, "-1.5 KiB" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *text = text_format_size(table[i].bytes);

                assert_string_equal(text, table[i].text);
        }
}

static void whole_numbers_are_read_within_their_range(void **state)
{
        int64_t value = 0;

        assert_int_equal(text_parse_int("22", 1, 65535, &value), 0);
        assert_int_equal(value, 22);
        assert_int_equal(text_parse_int("1", 1, 65535, &value), 0);
        assert_int_equal(value, 1);
        assert_int_equal(text_parse_int("65535", 1, 65535, &value), 0);
        assert_int_equal(value, 65535);
        assert_int_equal(text_parse_int("-5", -10, 10, &value), 0);
        assert_int_equal(value, -5);
        assert_int_equal(text_parse_int("007", 0, 10, &value), 0);
        assert_int_equal(value, 7);
        assert_int_equal(text_parse_int("9223372036854775807", INT64_MIN, INT64_MAX, &value), 0);
        assert_true(value == INT64_MAX);
        assert_int_equal(text_parse_int("-9223372036854775808", INT64_MIN, INT64_MAX, &value), 0);
        assert_true(value == INT64_MIN);
}

static void what_is_no_number_in_the_range_is_refused(void **state)
{
        static const char *const texts[] = {
                "",
                "-",
                "--1",
                " 1",
                "1 ",
                "+1",
                "1.0",
                "1e3",
                "0x1f",
                "a",
                "1a",
                "1-1",
                "0",
                "65536",
                "-1",
                "99999999999999999999",
                "-99999999999999999999",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                int64_t value = 42;

                if (text_parse_int(texts[i], 1, 65535, &value) == 0)
                        fail_msg("'%s' is taken for %lld", texts[i], (long long)value);
                assert_int_equal(value, 42);
        }
        assert_int_equal(text_parse_int("9223372036854775808", INT64_MIN, INT64_MAX, &(int64_t){ 0 }), -1);
        assert_int_equal(text_parse_int("-9223372036854775809", INT64_MIN, INT64_MAX, &(int64_t){ 0 }), -1);
}

static void names_are_letters_digits_and_inner_hyphens(void **state)
{
        static const char *const good[] = {
                "a", "9", "blog", "my-app", "a--b", "0-0", "a123456789012345678901234567890123456789"
        };
        static const char *const bad[] = {
                "",       "-",      "-a",     "a-",     "A",
                "my_app", "my.app", "my app", "a/b",    "..",
                "ä",      "a\n",    "a\x7f",  "--help", "a1234567890123456789012345678901234567890"
        };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_true(text_name_valid(good[i]));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(text_name_valid(bad[i]));
}

static void a_folder_gives_the_nearest_valid_name(void **state)
{
        static const struct pair pairs[] = {
                { "blog", "blog" },
                { "My App", "my-app" },
                { "my_app.git", "my-app-git" },
                { "  spaced  ", "spaced" },
                { "--a--", "a" },
                { "Größe", "gr-e" },
                { "a & b", "a-b" },
                { "2048", "2048" },
                { ".dotfiles", "dotfiles" },
                { "0123456789012345678901234567890123456789tail", "0123456789012345678901234567890123456789" },
                { "012345678901234567890123456789012345678 tail", "012345678901234567890123456789012345678" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                _cleanup_(freep) char *name = text_name_from(pairs[i].from);

                assert_non_null(name);
                assert_string_equal(name, pairs[i].to);
                assert_true(text_name_valid(name));
        }
}

static void a_folder_without_a_letter_gives_no_name(void **state)
{
        assert_null(text_name_from(""));
        assert_null(text_name_from("---"));
        assert_null(text_name_from("日本"));
}

static void the_last_of_a_character_is_found_within_the_length(void **state)
{
        const char *text = "a@b@c@";

        assert_ptr_equal(text_last(text, 6, '@'), text + 5);
        assert_ptr_equal(text_last(text, 5, '@'), text + 3);
        assert_ptr_equal(text_last(text, 2, '@'), text + 1);
        assert_ptr_equal(text_last(text, 1, 'a'), text);
        assert_null(text_last(text, 1, '@'));
        assert_null(text_last(text, 0, 'a'));
        assert_null(text_last(text, 6, '\0'));
}

static void base64_is_padded_and_in_one_line(void **state)
{
        static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foobar", "Zm9vYmFy" } };
        char long_text[200];
        _cleanup_(freep) char *long_one = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                _cleanup_(freep) char *encoded = text_base64(pairs[i][0], strlen(pairs[i][0]));

                assert_string_equal(encoded, pairs[i][1]);
        }
        memset(long_text, 'x', sizeof(long_text));
        long_one = text_base64(long_text, sizeof(long_text));
        assert_int_equal(strlen(long_one), 268);
        assert_null(strchr(long_one, '\n'));
}

static void people_get_local_time(void **state)
{
        static const struct {
                const char *given, *shown;
        } table[] = {
                { "2026-01-02T03:04:05Z", "2026-01-02 05:04:05" },
                { "2025-12-31T23:30:00.123Z", "2026-01-01 01:30:00" },
                { "yesterday", "yesterday" },
                { "2026-01-02T03:04:05+01:00", "2026-01-02T03:04:05+01:00" },
        };

        setenv("TZ", "UTC-2", 1);
        tzset();
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *shown = text_local_time(table[i].given);

                assert_string_equal(shown, table[i].shown);
        }
        unsetenv("TZ");
        tzset();
}

static void a_carriage_return_begins_a_quoted_line_anew(void **state)
{
        static const struct {
                const char *said, *shown;
        } table[] = {
                { "plain", "plain" }, { "done\r", "done" },        { "10%\r20%\rdone\r\r", "done" },
                { "\r", "" },         { "a\033[1m", "a\\x1b[1m" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *shown = text_said_dup(table[i].said);

                assert_string_equal(shown, table[i].shown);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(people_get_local_time),
                cmocka_unit_test(a_carriage_return_begins_a_quoted_line_anew),
                cmocka_unit_test(plain_text_is_left_as_it_is),
                cmocka_unit_test(control_characters_are_shown_not_sent),
                cmocka_unit_test(bidirectional_overrides_are_shown),
                cmocka_unit_test(bytes_that_are_no_utf8_are_shown_one_by_one),
                cmocka_unit_test(a_character_is_not_read_beyond_the_length),
                cmocka_unit_test(words_are_quoted_for_a_shell_where_they_must_be),
                cmocka_unit_test(an_argv_is_joined_with_each_word_quoted),
                cmocka_unit_test(a_path_in_a_hint_is_always_quoted),
                cmocka_unit_test(the_nearest_candidate_is_suggested),
                cmocka_unit_test(a_suggestion_is_no_further_off_than_a_third),
                cmocka_unit_test(the_first_of_a_list_are_named),
                cmocka_unit_test(sizes_are_powers_of_1024),
                cmocka_unit_test(what_is_no_size_is_refused),
                cmocka_unit_test(a_size_that_overflows_is_refused),
                cmocka_unit_test(sizes_are_shown_short),
                cmocka_unit_test(whole_numbers_are_read_within_their_range),
                cmocka_unit_test(what_is_no_number_in_the_range_is_refused),
                cmocka_unit_test(names_are_letters_digits_and_inner_hyphens),
                cmocka_unit_test(a_folder_gives_the_nearest_valid_name),
                cmocka_unit_test(a_folder_without_a_letter_gives_no_name),
                cmocka_unit_test(the_last_of_a_character_is_found_within_the_length),
                cmocka_unit_test(base64_is_padded_and_in_one_line),
        };

        return cmocka_run_group_tests_name("lib/text", tests, NULL, NULL);
}
