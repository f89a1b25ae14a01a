/* What an error looks like, for people and for programs. */
#include "capture.h"

#include "lib/json.h"
#include "term/output.h"

static char *shown(enum output_mode mode, const struct error *error)
{
        struct capture capture = capture_start(mode == OUTPUT_JSON ? STDOUT_FILENO : STDERR_FILENO);

        output_error(mode, error);
        return capture_end(&capture);
}

static void causes_follow_in_one_line_and_the_hint_below(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *text = NULL;

        error_set(&err, ERROR_ENGINE, "cannot open '/dev/kvm'");
        error_hint(&err, "machine doctor");
        error_wrap(&err, "QEMU ended");
        error_wrap(&err, "cannot start VM 'blog'");
        text = shown(OUTPUT_AUTO, err);
        assert_string_equal(text, "machine: cannot start VM 'blog': QEMU ended: cannot open '/dev/kvm'\n"
                                  "  hint: machine doctor\n");
}

static void mistakes_in_a_file_are_shown_each_at_its_place(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        struct error *second = NULL;
        struct error *third = NULL;
        _cleanup_(freep) char *text = NULL;

        error_at(&err, "projects.toml", 3, 5, "unknown key 'cpu'");
        error_hint(&err, "did you mean 'cpus'?");
        error_at(&second, "projects.toml", 9, 1, "'memory' is no size");
        error_at(&third, "projects.toml", 0, 0, "cannot be read");
        error_append(&err, second);
        error_append(&err, third);
        text = shown(OUTPUT_PLAIN, err);
        assert_string_equal(text, "projects.toml:3:5: unknown key 'cpu'\n"
                                  "  hint: did you mean 'cpus'?\n"
                                  "projects.toml:9:1: 'memory' is no size\n"
                                  "projects.toml: cannot be read\n");
}

static void what_a_program_said_over_several_lines_is_indented(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *text = NULL;

        error_set(&err, ERROR_FAILED, "'qemu-img' failed:\nno space left\n  hint: run me as root\n");
        error_wrap(&err, "cannot make a disk");
        text = shown(OUTPUT_PLAIN, err);
        assert_string_equal(text, "machine: cannot make a disk: 'qemu-img' failed:\n"
                                  "    no space left\n"
                                  "      hint: run me as root\n");
}

static void control_characters_are_shown_and_not_obeyed(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *text = NULL;

        error_at(&err, "a\033]0;x\007.toml", 1, 1, "bad\r\033[1A");
        error_hint(&err, "rm\b\b");
        text = shown(OUTPUT_AUTO, err);
        for (const char *c = text; *c; c++)
                assert_true((unsigned char)*c >= ' ' || *c == '\n');
        assert_non_null(strstr(text, "\\x1b[1A"));
}

static void as_json_every_error_is_one_line_with_all_fields(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        struct error *second = NULL;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(json_decrefp) json_t *value = NULL;
        char *end;

        error_at(&err, "projects.toml", 3, 5, "unknown key");
        error_wrap(&err, "cannot read projects");
        error_set(&second, ERROR_WORK, "line one\nline two");
        error_hint(&second, "push it");
        error_append(&err, second);
        text = shown(OUTPUT_JSON, err);
        assert_string_equal(strchr(text, '\n') + 1,
                            "{\"event\":\"error\",\"kind\":\"work\",\"message\":\"line one\\nline two\","
                            "\"hint\":\"push it\",\"file\":null,\"line\":null,\"column\":null}\n");
        end = strchr(text, '\n');
        value = json_parse(text, (size_t)(end - text), "the error", NULL);
        assert_string_equal(json_string_value(json_object_get(value, "event")), "error");
        assert_string_equal(json_string_value(json_object_get(value, "kind")), "config");
        assert_string_equal(json_string_value(json_object_get(value, "message")), "cannot read projects: unknown key");
        assert_true(json_is_null(json_object_get(value, "hint")));
        assert_string_equal(json_string_value(json_object_get(value, "file")), "projects.toml");
        assert_int_equal(json_integer_value(json_object_get(value, "line")), 3);
        assert_int_equal(json_integer_value(json_object_get(value, "column")), 5);
}

static void bytes_that_are_no_utf8_do_not_lose_the_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *text = NULL;

        error_set(&err, ERROR_FAILED, "cannot open '\xff'");
        error_hint(&err, "rm '\xfe'");
        text = shown(OUTPUT_JSON, err);
        assert_non_null(strstr(text, "\\\\xff"));
        assert_non_null(strstr(text, "\\\\xfe"));
}

static void no_error_prints_nothing(void **state)
{
        _cleanup_(freep) char *text = shown(OUTPUT_AUTO, NULL);

        assert_string_equal(text, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(causes_follow_in_one_line_and_the_hint_below),
                cmocka_unit_test(mistakes_in_a_file_are_shown_each_at_its_place),
                cmocka_unit_test(what_a_program_said_over_several_lines_is_indented),
                cmocka_unit_test(control_characters_are_shown_and_not_obeyed),
                cmocka_unit_test(as_json_every_error_is_one_line_with_all_fields),
                cmocka_unit_test(bytes_that_are_no_utf8_do_not_lose_the_error),
                cmocka_unit_test(no_error_prints_nothing),
        };

        return cmocka_run_group_tests_name("term/error", tests, NULL, NULL);
}
