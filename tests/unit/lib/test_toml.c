/* TOML as a tree with places: the line and column of every key, value and mistake. */
#include "check.h"

#include <math.h>

#include "lib/toml.h"

static struct toml_value *parse(const char *text)
{
        _cleanup_(error_freep) struct error *err = NULL;
        struct toml_value *root = toml_parse(text, strlen(text), "projects.toml", &err);

        if (!root)
                fail_msg("line %u, column %u: %s", err->line, err->column, err->message);
        return root;
}

static void add_tree(struct strbuf *out, const struct toml_value *value, int depth)
{
        strbuf_addf(out, "%s %u:%u", toml_type_name(value->type), value->line, value->column);
        switch (value->type) {
        case TOML_STRING:
        case TOML_DATETIME:
                strbuf_addf(out, " '%s'\n", value->string);
                break;
        case TOML_INTEGER:
                strbuf_addf(out, " %lld\n", (long long)value->integer);
                break;
        case TOML_FLOAT:
                strbuf_addf(out, " %g\n", value->number);
                break;
        case TOML_BOOLEAN:
                strbuf_addf(out, " %s\n", value->boolean ? "true" : "false");
                break;
        case TOML_TABLE:
                strbuf_addc(out, '\n');
                for (size_t i = 0; i < value->member_count; i++) {
                        const struct toml_member *member = &value->members[i];

                        strbuf_addf(out, "%*s%s %u:%u = ", depth * 2, "", member->key, member->line, member->column);
                        add_tree(out, &member->value, depth + 1);
                }
                break;
        case TOML_ARRAY:
                strbuf_addc(out, '\n');
                for (size_t i = 0; i < value->item_count; i++) {
                        strbuf_addf(out, "%*s- ", depth * 2, "");
                        add_tree(out, &value->items[i], depth + 1);
                }
                break;
        }
}

/* `text` must be parsed as this tree: "key line:column = type line:column value", one line each. */
static void expect_tree(const char *text, const char *tree)
{
        _cleanup_(toml_freep) struct toml_value *root = parse(text);
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        add_tree(&out, root, 1);
        assert_string_equal(out.buf, tree);
}

/* `length` bytes of `text` must be refused at this place with this message. */
static void expect_refusal_of(const char *text, size_t length, unsigned line, unsigned column, const char *message)
{
        _cleanup_(error_freep) struct error *err = NULL;

        assert_null(toml_parse(text, length, "projects.toml", &err));
        assert_error(err, ERROR_CONFIG, message);
        assert_string_equal(err->file, "projects.toml");
        if (err->line != line || err->column != column)
                fail_msg("'%s': at %u:%u, not at %u:%u", message, err->line, err->column, line, column);
}

struct mistake {
        const char *text;
        unsigned line, column;
        const char *message;
};

static void expect_refusals(const struct mistake *mistakes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                expect_refusal_of(mistakes[i].text, strlen(mistakes[i].text), mistakes[i].line, mistakes[i].column,
                                  mistakes[i].message);
}

static void an_empty_file_is_an_empty_table(void **state)
{
        expect_tree("", "a table 1:1\n");
        expect_tree("\n # only a comment\n\n", "a table 1:1\n");
        expect_tree("\xef\xbb\xbf", "a table 1:1\n"); /* a byte order mark */
}

static void every_kind_of_value_knows_its_place(void **state)
{
        expect_tree("# comment\n"
                    "text = \"a\\tb\"\n"
                    "literal = 'C:\\x'\n"
                    "number = -7\n"
                    "  real  =  1.5\n"
                    "yes = true\n"
                    "no = false\n"
                    "date = 2024-02-03\n"
                    "time = 01:02:03.5\n"
                    "moment = 2024-02-03T04:05:06Z\n"
                    "offset = 2024-02-03 04:05:06+01:00\n"
                    "local = 2024-02-03 04:05:06\n",
                    "a table 1:1\n"
                    "  text 2:1 = a string 2:8 'a\tb'\n"
                    "  literal 3:1 = a string 3:11 'C:\\x'\n"
                    "  number 4:1 = a whole number 4:10 -7\n"
                    "  real 5:3 = a number 5:12 1.5\n"
                    "  yes 6:1 = true or false 6:7 true\n"
                    "  no 7:1 = true or false 7:6 false\n"
                    "  date 8:1 = a date or time 8:8 '2024-02-03'\n"
                    "  time 9:1 = a date or time 9:8 '01:02:03.5'\n"
                    "  moment 10:1 = a date or time 10:10 '2024-02-03T04:05:06Z'\n"
                    "  offset 11:1 = a date or time 11:10 '2024-02-03T04:05:06+01:00'\n"
                    "  local 12:1 = a date or time 12:9 '2024-02-03T04:05:06'\n");
}

static void every_kind_of_table_knows_its_place(void **state)
{
        expect_tree("[blog]\n"
                    "cpus = 2\n"
                    "[ blog . repo ]\n"
                    "url = \"u\"\n"
                    "[deep.er]\n"
                    "a.b = 1\n"
                    "inline = { x = 1, y = { z = 2 } }\n"
                    "none = {}\n",
                    "a table 1:1\n"
                    "  blog 1:2 = a table 1:1\n"
                    "    cpus 2:1 = a whole number 2:8 2\n"
                    "    repo 3:10 = a table 3:1\n"
                    "      url 4:1 = a string 4:7 'u'\n"
                    "  deep 5:2 = a table 5:1\n"
                    "    er 5:7 = a table 5:1\n"
                    "      a 6:1 = a table 6:1\n"
                    "        b 6:3 = a whole number 6:7 1\n"
                    "      inline 7:1 = a table 7:10\n"
                    "        x 7:12 = a whole number 7:16 1\n"
                    "        y 7:19 = a table 7:23\n"
                    "          z 7:25 = a whole number 7:29 2\n"
                    "      none 8:1 = a table 8:8\n");
}

static void every_item_of_an_array_knows_its_place(void **state)
{
        expect_tree("array = [1, \"two\",\n"
                    "  [3], # comment\n"
                    "]\n"
                    "none = []\n"
                    "[[list]]\n"
                    "a = 1\n"
                    "[[list]]\n"
                    "[list.sub]\n"
                    "b = 2\n",
                    "a table 1:1\n"
                    "  array 1:1 = an array 1:9\n"
                    "    - a whole number 1:10 1\n"
                    "    - a string 1:13 'two'\n"
                    "    - an array 2:3\n"
                    "      - a whole number 2:4 3\n"
                    "  none 4:1 = an array 4:8\n"
                    "  list 5:3 = an array 5:1\n"
                    "    - a table 5:1\n"
                    "      a 6:1 = a whole number 6:5 1\n"
                    "    - a table 7:1\n"
                    "      sub 8:7 = a table 8:1\n"
                    "        b 9:1 = a whole number 9:5 2\n");
}

static void members_are_in_the_order_of_the_file(void **state)
{
        expect_tree("z = 1\na = 2\nm = 3\n", "a table 1:1\n"
                                             "  z 1:1 = a whole number 1:5 1\n"
                                             "  a 2:1 = a whole number 2:5 2\n"
                                             "  m 3:1 = a whole number 3:5 3\n");
        expect_tree("t = { z = 1, a = 2 }\n", "a table 1:1\n"
                                              "  t 1:1 = a table 1:5\n"
                                              "    z 1:7 = a whole number 1:11 1\n"
                                              "    a 1:14 = a whole number 1:18 2\n");
}

static void columns_count_characters_not_bytes(void **state)
{
        expect_tree("\"ü日\".x = 'ö' # ä\ny = ['ä', 1]\n", "a table 1:1\n"
                                                           "  ü日 1:1 = a table 1:1\n"
                                                           "    x 1:6 = a string 1:10 'ö'\n"
                                                           "  y 2:1 = an array 2:5\n"
                                                           "    - a string 2:6 'ä'\n"
                                                           "    - a whole number 2:11 1\n");
}

static void lines_may_end_as_on_windows(void **state)
{
        expect_tree("a = 1\r\n\r\nb = \"\"\"\r\nx\"\"\"\r\nc = 2", "a table 1:1\n"
                                                                   "  a 1:1 = a whole number 1:5 1\n"
                                                                   "  b 3:1 = a string 3:5 'x'\n"
                                                                   "  c 5:1 = a whole number 5:5 2\n");
}

static void numbers_are_read_in_every_form(void **state)
{
        _cleanup_(toml_freep) struct toml_value *root = parse("a = [0x1F, 0o17, 0b101, 1_000, +3, "
                                                              "9223372036854775807, -9223372036854775808]\n"
                                                              "b = [inf, -inf, nan, 1e3, 5e-1]\n");
        static const int64_t integers[] = { 31, 15, 5, 1000, 3, INT64_MAX, INT64_MIN };
        const struct toml_value *a = &toml_get(root, "a")->value;
        const struct toml_value *b = &toml_get(root, "b")->value;

        assert_int_equal(a->item_count, ARRAY_SIZE(integers));
        for (size_t i = 0; i < ARRAY_SIZE(integers); i++) {
                assert_int_equal(a->items[i].type, TOML_INTEGER);
                assert_true(a->items[i].integer == integers[i]);
        }
        assert_true(isinf(b->items[0].number) && b->items[0].number > 0);
        assert_true(isinf(b->items[1].number) && b->items[1].number < 0);
        assert_true(isnan(b->items[2].number));
        assert_true(b->items[3].number == 1000 && b->items[4].number == 0.5);
}

static void a_mistake_in_the_grammar_is_told_with_its_place(void **state)
{
        static const struct mistake mistakes[] = {
                { "a = \n", 1, 5, "cannot parse key-value pair: expected value, saw '\\n'" },
                { "a\n", 1, 2, "cannot parse key-value pair: expected '=', saw '\\n'" },
                { "\n\n= 1", 3, 1, "cannot parse root table: expected keys, tables, whitespace or comments, saw '='" },
                { "ä = 1", 1, 1, "cannot parse root table: expected keys, tables, whitespace or comments, saw 'ä'" },
                { "a = 1 b = 2", 1, 7, "cannot parse key-value pair: expected a comment or whitespace, saw 'b'" },
                { "a = 1\rb = 2", 1, 7, "cannot parse key-value pair: expected '\\n' after '\\r', saw 'b'" },
                { "[a", 1, 3, "cannot parse table header: encountered end-of-file" },
                { "[a]b", 1, 4, "cannot parse table header: expected a comment or whitespace, saw 'b'" },
        };

        expect_refusals(mistakes, ARRAY_SIZE(mistakes));
}

static void a_mistake_in_a_value_is_told_with_its_place(void **state)
{
        static const struct mistake mistakes[] = {
                { "a = \"x\n", 1, 7,
                  "cannot parse string: unescaped control characters other than TAB (U+0009) are explicitly prohibited" },
                { "a = \"x", 1, 7, "cannot parse string: encountered end-of-file" },
                { "a = \"\"\"x\ny", 2, 2, "cannot parse string: encountered end-of-file" },
                { "a = 99999999999999999999", 1, 25,
                  "cannot parse decimal integer: '99999999999999999999' is not representable in 64 bits" },
                { "a = 07", 1, 7, "cannot parse decimal integer: leading zeroes are prohibited" },
                { "a = 0x", 1, 7, "cannot parse hexadecimal integer: encountered end-of-file" },
                { "a = 1.", 1, 7, "cannot parse floating-point: encountered end-of-file" },
                { "a = tru", 1, 8, "cannot parse boolean: encountered end-of-file" },
                { "a = 2024-13-01", 1, 12, "cannot parse date: expected month between 1 and 12 (inclusive), saw 13" },
                { "a = [1,\n", 1, 9, "cannot parse array: encountered end-of-file" },
                { "a = {b = 1", 1, 11, "cannot parse inline table: encountered end-of-file" },
                { "a = {b=1,}", 1, 10, "cannot parse inline table: expected key-value pair, saw closing '}' (dangling comma)" },
        };

        expect_refusals(mistakes, ARRAY_SIZE(mistakes));
}

static void what_is_said_twice_is_told_with_its_place(void **state)
{
        static const struct mistake mistakes[] = {
                { "a = 1\na = 2\n", 2, 5, "cannot parse key-value pair: cannot redefine existing integer 'a'" },
                { "[a]\n[b]\n[a]\n", 3, 1, "cannot parse table header: cannot redefine existing table 'a'" },
                { "a.b = 1\na = 2", 2, 5, "cannot parse key-value pair: cannot redefine existing table 'a'" },
                { "a = 1\n[a]\n", 2, 1, "cannot parse table header: cannot redefine existing integer 'a' as table" },
                { "t = { a = 1, a = 2 }", 1, 18, "cannot parse key-value pair: cannot redefine existing integer 'a'" },
        };

        expect_refusals(mistakes, ARRAY_SIZE(mistakes));
}

static void bytes_that_are_no_utf8_are_refused(void **state)
{
        static const struct mistake mistakes[] = {
                { "a = \"\xff\"", 1, 5, "encountered invalid utf-8 sequence" },
                { "a = 1\n# \xc3\n", 2, 2, "encountered invalid utf-8 sequence" },
                { "a = '\xc3", 1, 5, "encountered EOF during incomplete utf-8 code point sequence" },
                { "a = \"\x1b[2J\"", 1, 6,
                  "cannot parse string: unescaped control characters other than TAB (U+0009) are explicitly prohibited" },
        };

        expect_refusals(mistakes, ARRAY_SIZE(mistakes));
}

static void what_it_stumbled_over_is_made_visible(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        static const char override[] = "a = 1 \u202e";

        assert_null(toml_parse(override, strlen(override), "projects.toml", &err));
        assert_null(strstr(err->message, "\u202e"));
        assert_non_null(strstr(err->message, "\\xe2\\x80\\xae"));
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state)
{
        static const struct mistake mistakes[] = {
                { "b = 1\na = \"x\\u0000\"", 2, 5, "a text can't have a NUL byte" },
                { "b = 1\n\"a\\u0000\" = 1", 2, 1, "a text can't have a NUL byte" },
                { "b = [1, 'x', \"\\u0000\"]", 1, 14, "a text can't have a NUL byte" },
        };

        expect_refusals(mistakes, ARRAY_SIZE(mistakes));
        expect_refusal_of("a = \0", 5, 1, 5, "cannot parse value: unexpected control character");
        expect_refusal_of("a = '\0'", 7, 1, 6,
                          "cannot parse literal string: control characters other than TAB (U+0009) are explicitly prohibited");
}

static void only_so_many_bytes_are_read(void **state)
{
        _cleanup_(toml_freep) struct toml_value *root = toml_parse("a = 12", 5, "projects.toml", NULL);

        assert_int_equal(toml_get(root, "a")->value.integer, 1);
}

/* `depth` tables within each other, by headers and dotted keys. Owned by the caller. */
static char *nested_tables(unsigned depth)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_adds(&text, "[a");
        for (unsigned i = 1; i < depth; i++)
                strbuf_adds(&text, ".a");
        strbuf_adds(&text, "]\n");
        return strbuf_take(&text);
}

static void levels_have_a_limit(void **state)
{
        /* The root is a level too. */
        _cleanup_(freep) char *most = nested_tables(63);
        _cleanup_(freep) char *beyond = nested_tables(64);
        _cleanup_(toml_freep) struct toml_value *root = parse(most);
        const struct toml_value *value = root;
        unsigned depth = 0;

        for (; value->member_count > 0; value = &value->members[0].value)
                depth++;
        assert_int_equal(depth, 63);
        expect_refusal_of(beyond, strlen(beyond), 1, 1, "more than 64 levels of tables and arrays");
}

static void inline_values_have_a_limit_of_their_own(void **state)
{
        static const struct mistake mistakes[] = {
                { "a=[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", 1, 19,
                  "cannot parse value: exceeded maximum nested value depth of 16" },
        };
        _cleanup_(toml_freep) struct toml_value *root = parse("a=[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");

        assert_int_equal(toml_get(root, "a")->value.type, TOML_ARRAY);
        expect_refusals(mistakes, ARRAY_SIZE(mistakes));
}

static void dots_have_a_limit(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_adds(&text, "b = 1\n# ");
        for (int i = 0; i < 1000; i++)
                strbuf_addc(&text, '.');
        toml_free(parse(text.buf));
        strbuf_addc(&text, '.');
        expect_refusal_of(text.buf, text.len, 2, 1, "more than 1000 dots in one line");
}

/* The reason for these limits: without them toml++ recurses until the stack overflows. */
static void a_file_that_means_to_exhaust_the_stack_does_not(void **state)
{
        static const struct {
                const char *start;
                const char *part;
        } table[] = {
                { "k = ", "[" }, { "k = ", "{a=" }, { "k = ", "[{a=" }, { "", "a." },
                { "[", "a." },   { "[[", "a." },    { "k = {", "a." },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
                _cleanup_(error_freep) struct error *err = NULL;

                strbuf_adds(&text, table[i].start);
                for (int j = 0; j < 200000; j++)
                        strbuf_adds(&text, table[i].part);
                assert_null(toml_parse(text.buf, text.len, "projects.toml", &err));
                assert_int_equal(err->kind, ERROR_CONFIG);
        }
}

static void lines_of_the_longest_keys_within_each_other_do_not_exhaust_it_either(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        for (int level = 0; level < 8; level++) {
                for (int part = 0; part < 990; part++)
                        strbuf_addf(&text, "%sa", part > 0 ? "." : "");
                strbuf_adds(&text, level < 7 ? " = [\n{ " : " = 1");
        }
        for (int level = 0; level < 7; level++)
                strbuf_adds(&text, " } ]");
        assert_null(toml_parse(text.buf, text.len, "projects.toml", &err));
        assert_error(err, ERROR_CONFIG, "more than 64 levels of tables and arrays");
}

static void members_are_found_by_their_key(void **state)
{
        _cleanup_(toml_freep) struct toml_value *root = parse("a = 1\n\"a b\" = 2\n\"\" = 3\nc = ['a']\n");

        assert_int_equal(toml_get(root, "a")->value.integer, 1);
        assert_int_equal(toml_get(root, "a b")->value.integer, 2);
        assert_int_equal(toml_get(root, "")->value.integer, 3);
        assert_null(toml_get(root, "b"));
        assert_null(toml_get(root, "A"));
        assert_null(toml_get(&toml_get(root, "c")->value, "a")); /* an array has no members */
        assert_null(toml_get(&toml_get(root, "a")->value, "a"));
}

static void nobody_has_to_hear_why(void **state)
{
        assert_null(toml_parse("a", 1, "projects.toml", NULL));
        assert_null(toml_parse("a = \"\\u0000\"", 12, "projects.toml", NULL));
        toml_free(NULL);
}

static void types_have_names(void **state)
{
        assert_string_equal(toml_type_name(TOML_TABLE), "a table");
        assert_string_equal(toml_type_name(TOML_ARRAY), "an array");
        assert_string_equal(toml_type_name(TOML_STRING), "a string");
        assert_string_equal(toml_type_name(TOML_INTEGER), "a whole number");
        assert_string_equal(toml_type_name(TOML_FLOAT), "a number");
        assert_string_equal(toml_type_name(TOML_BOOLEAN), "true or false");
        assert_string_equal(toml_type_name(TOML_DATETIME), "a date or time");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_file_is_an_empty_table),
                cmocka_unit_test(every_kind_of_value_knows_its_place),
                cmocka_unit_test(every_kind_of_table_knows_its_place),
                cmocka_unit_test(every_item_of_an_array_knows_its_place),
                cmocka_unit_test(members_are_in_the_order_of_the_file),
                cmocka_unit_test(columns_count_characters_not_bytes),
                cmocka_unit_test(lines_may_end_as_on_windows),
                cmocka_unit_test(numbers_are_read_in_every_form),
                cmocka_unit_test(a_mistake_in_the_grammar_is_told_with_its_place),
                cmocka_unit_test(a_mistake_in_a_value_is_told_with_its_place),
                cmocka_unit_test(what_is_said_twice_is_told_with_its_place),
                cmocka_unit_test(bytes_that_are_no_utf8_are_refused),
                cmocka_unit_test(what_it_stumbled_over_is_made_visible),
                cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
                cmocka_unit_test(only_so_many_bytes_are_read),
                cmocka_unit_test(levels_have_a_limit),
                cmocka_unit_test(inline_values_have_a_limit_of_their_own),
                cmocka_unit_test(dots_have_a_limit),
                cmocka_unit_test(a_file_that_means_to_exhaust_the_stack_does_not),
                cmocka_unit_test(lines_of_the_longest_keys_within_each_other_do_not_exhaust_it_either),
                cmocka_unit_test(members_are_found_by_their_key),
                cmocka_unit_test(nobody_has_to_hear_why),
                cmocka_unit_test(types_have_names),
        };

        return cmocka_run_group_tests_name("lib/toml", tests, NULL, NULL);
}
