/* JSON with our errors. */
#include "scratch.h"

#include "check.h"

#include "lib/json.h"

static json_t *parse(const char *text, struct error **err)
{
        return json_parse(text, strlen(text), "the record", err);
}

/* `text` must be refused with this message. */
static void refuse(const char *text, const char *message)
{
        _cleanup_(error_freep) struct error *err = NULL;

        assert_null(parse(text, &err));
        assert_error(err, ERROR_FAILED, message);
}

static void an_object_or_an_array_is_parsed(void **state)
{
        _cleanup_(json_decrefp) json_t *object = parse(" {\"name\": \"blog\", \"cpus\": 2} \n", NULL);
        _cleanup_(json_decrefp) json_t *array = parse("[1, 2, 3]", NULL);

        assert_int_equal(json_object_size(object), 2);
        assert_int_equal(json_array_size(array), 3);
}

static void only_so_many_bytes_are_read(void **state)
{
        static const char unended[] = { '[', ']', '!' };
        _cleanup_(json_decrefp) json_t *array = json_parse(unended, 2, "the record", NULL);

        assert_true(json_is_array(array));
        assert_null(json_parse(unended, 3, "the record", NULL));
}

static void a_duplicate_key_is_an_error(void **state)
{
        refuse("{\"a\": 1,\n \"a\": 2}", "the record is not valid JSON: line 2, column 4: duplicate object key near '\"a\"'");
        refuse("[{\"b\": {\"a\": 1, \"a\": 1}}]",
               "the record is not valid JSON: line 1, column 19: duplicate object key near '\"a\"'");
}

static void what_is_no_json_is_an_error_with_its_place(void **state)
{
        refuse("{\"a\": }", "the record is not valid JSON: line 1, column 7: unexpected token near '}'");
        refuse("[1,\n2", "the record is not valid JSON: line 2, column 1: ']' expected near end of file");
        refuse("", "the record is not valid JSON: line 1, column 0: '[' or '{' expected near end of file");
        refuse("\"text\"", "the record is not valid JSON: line 1, column 6: '[' or '{' expected near '\"text\"'");
        refuse("[] []", "the record is not valid JSON: line 1, column 4: end of file expected near '['");
        refuse("[99999999999999999999]",
               "the record is not valid JSON: line 1, column 21: too big integer near '99999999999999999999'");
}

static void what_it_stumbled_over_is_made_visible(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        assert_null(parse("[\"\x1b[2J\"]", &err));
        assert_null(strchr(err->message, '\x1b'));
        assert_null(parse("[\"\xff\"]", &err));
        assert_null(strchr(err->message, '\xff'));
        assert_null(parse("[\"a\\u0000b\"]", &err));
        assert_non_null(strstr(err->message, "\\u0000 is not allowed"));
}

static void too_many_levels_are_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *text = xmalloc(100001);

        memset(text, '[', 100000);
        text[100000] = '\0';
        assert_null(parse(text, &err));
        assert_error(err, ERROR_FAILED,
                     "the record is not valid JSON: line 1, column 2049: maximum parsing depth reached near '['");
}

static void nobody_has_to_hear_why(void **state)
{
        assert_null(parse("{", NULL));
}

static void a_file_is_written_and_read_back(void **state)
{
        static const char *const text = "{\n  \"zebra\": 1,\n  \"ape\": [\n    true,\n    null,\n    \"ä\"\n  ]\n}\n";
        _cleanup_(freep) char *path = path_join(*state, "vm.json");
        _cleanup_(json_decrefp) json_t *value = parse(text, NULL);
        _cleanup_(json_decrefp) json_t *again = NULL;
        _cleanup_(freep) char *written = NULL;

        assert_int_equal(json_write(path, value, 0640, NULL), 0);
        written = scratch_read(path);
        assert_string_equal(written, text);
        assert_int_equal(scratch_mode(path), 0640);
        again = json_read(path, strlen(text), NULL);
        assert_true(json_equal(value, again));
}

static void a_file_that_can_not_be_read_is_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = path_join(*state, "vm.json");
        _cleanup_(freep) char *missing = xasprintf("cannot open '%s': No such file or directory", path);
        _cleanup_(freep) char *large = xasprintf("'%s' is larger than 3 B", path);
        _cleanup_(freep) char *spoilt =
                xasprintf("'%s' is not valid JSON: line 1, column 4: string or '}' expected near end of file", path);

        assert_null(json_read(path, 100, &err));
        assert_error(err, ERROR_NOT_FOUND, missing);
        scratch_write(path, "{   ");
        assert_null(json_read(path, 3, &err));
        assert_error(err, ERROR_FAILED, large);
        assert_null(json_read(path, 4, &err));
        assert_error(err, ERROR_FAILED, spoilt);
}

static void a_file_that_can_not_be_written_is_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = path_join(*state, "missing/vm.json");
        _cleanup_(freep) char *message = xasprintf("cannot write '%s': No such file or directory", path);
        _cleanup_(json_decrefp) json_t *value = parse("{}", NULL);

        assert_int_equal(json_write(path, value, 0600, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, message);
}

static void a_text_is_one_line(void **state)
{
        _cleanup_(json_decrefp) json_t *value = parse("{\"b\": [1, 2],\n\"a\": \"x\\ny\"}", NULL);
        _cleanup_(json_decrefp) json_t *word = json_string("word");
        _cleanup_(freep) char *text = json_text(value);
        _cleanup_(freep) char *text_of_word = json_text(word);

        assert_string_equal(text, "{\"b\":[1,2],\"a\":\"x\\ny\"}");
        assert_string_equal(text_of_word, "\"word\"");
}

#define EVERY_TYPE                                                                                                             \
        "{\"text\": \"a\", \"number\": -7, \"real\": 1.0, \"yes\": true, \"no\": false, \"none\": null, \"object\": {}, \"array\": []}"

static void members_are_got_by_their_type(void **state)
{
        _cleanup_(json_decrefp) json_t *object = parse(EVERY_TYPE, NULL);
        const char *text = NULL;
        int64_t number = 0;
        bool yes = false;
        bool no = true;
        json_t *inner = NULL;
        json_t *array = NULL;

        assert_int_equal(json_get_string(object, "text", &text, NULL), 0);
        assert_int_equal(json_get_int(object, "number", &number, NULL), 0);
        assert_int_equal(json_get_bool(object, "yes", &yes, NULL), 0);
        assert_int_equal(json_get_bool(object, "no", &no, NULL), 0);
        assert_int_equal(json_get_object(object, "object", &inner, NULL), 0);
        assert_int_equal(json_get_array(object, "array", &array, NULL), 0);
        assert_string_equal(text, "a");
        assert_int_equal(number, -7);
        assert_true(yes);
        assert_false(no);
        assert_true(json_is_object(inner));
        assert_true(json_is_array(array));
}

/* Returns which getters accept the member `key`, as bits: string, int, bool, object, array. Checks that the others refuse. */
static unsigned getters_that_take(const json_t *object, const char *key, const char *const said[5])
{
        struct error *errors[5] = { NULL };
        const char *text = "before";
        int64_t number = 42;
        bool truth = true;
        json_t *inner = NULL;
        const int results[5] = {
                json_get_string(object, key, &text, &errors[0]), json_get_int(object, key, &number, &errors[1]),
                json_get_bool(object, key, &truth, &errors[2]),  json_get_object(object, key, &inner, &errors[3]),
                json_get_array(object, key, &inner, &errors[4]),
        };
        unsigned taken = 0;

        for (unsigned i = 0; i < 5; i++) {
                if (results[i] == 0) {
                        assert_null(errors[i]);
                        taken |= 1U << i;
                        continue;
                }
                assert_error(errors[i], ERROR_FAILED, said[i]);
                error_free(errors[i]);
        }
        /* a getter that refuses leaves its out parameter alone */
        assert_true((taken & 1U) || streq(text, "before"));
        assert_true((taken & 2U) || number == 42);
        assert_true((taken & 4U) || truth);
        assert_true((taken & 24U) || !inner);
        return taken;
}

static void a_member_of_another_type_is_refused(void **state)
{
        static const struct {
                const char *key;
                unsigned taken;
        } table[] = {
                { "text", 1 }, { "number", 2 }, { "real", 0 },   { "yes", 4 },
                { "no", 4 },   { "none", 0 },   { "object", 8 }, { "array", 16 },
        };
        static const char *const wanted[5] = { "a string", "a whole number", "true or false", "an object", "an array" };
        _cleanup_(json_decrefp) json_t *object = parse(EVERY_TYPE, NULL);

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                char *said[5];

                for (size_t j = 0; j < 5; j++)
                        said[j] = xasprintf("member '%s' is not %s", table[i].key, wanted[j]);
                assert_int_equal(getters_that_take(object, table[i].key, (const char *const *)said), table[i].taken);
                for (size_t j = 0; j < 5; j++)
                        free(said[j]);
        }
}

static void a_missing_member_is_refused(void **state)
{
        static const char *const said[5] = { "member 'x' is missing", "member 'x' is missing", "member 'x' is missing",
                                             "member 'x' is missing", "member 'x' is missing" };
        _cleanup_(json_decrefp) json_t *object = parse(EVERY_TYPE, NULL);
        _cleanup_(json_decrefp) json_t *array = parse("[1]", NULL);

        assert_int_equal(getters_that_take(object, "x", said), 0);
        assert_int_equal(getters_that_take(array, "x", said), 0);
        assert_int_equal(getters_that_take(NULL, "x", said), 0);
}

#define SCRATCH(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_object_or_an_array_is_parsed),
                cmocka_unit_test(only_so_many_bytes_are_read),
                cmocka_unit_test(a_duplicate_key_is_an_error),
                cmocka_unit_test(what_is_no_json_is_an_error_with_its_place),
                cmocka_unit_test(what_it_stumbled_over_is_made_visible),
                cmocka_unit_test(too_many_levels_are_an_error),
                cmocka_unit_test(nobody_has_to_hear_why),
                SCRATCH(a_file_is_written_and_read_back),
                SCRATCH(a_file_that_can_not_be_read_is_an_error),
                SCRATCH(a_file_that_can_not_be_written_is_an_error),
                cmocka_unit_test(a_text_is_one_line),
                cmocka_unit_test(members_are_got_by_their_type),
                cmocka_unit_test(a_member_of_another_type_is_refused),
                cmocka_unit_test(a_missing_member_is_refused),
        };

        return cmocka_run_group_tests_name("lib/json", tests, NULL, NULL);
}
