/* What limactl says about itself and about its failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lima/limactl.h"

static void a_version_is_read_in_all_its_forms(void **state)
{
        static const struct {
                const char *text, *version;
                int major;
        } cases[] = {
                { "limactl version 2.2.0\n", "2.2.0", 2 },
                { "limactl version v1.0.7\n", "1.0.7", 1 },
                { "limactl version 2.2.0-153-g183a60d7\n", "2.2.0-153-g183a60d7", 2 },
                { "limactl version HEAD-1234\n", NULL, 0 },
                { "limactl version 2\n", NULL, 0 },
                { "limactl\n", NULL, 0 },
                { "", NULL, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                int major = 0;
                _cleanup_(freep) char *version = limactl_parse_version(cases[i].text, &major);

                if (cases[i].version)
                        assert_string_equal(version, cases[i].version);
                else
                        assert_null(version);
                assert_int_equal(major, cases[i].major);
        }
}

static void a_log_line_is_its_message_and_an_error_is_known_for_one(void **state)
{
        static const struct {
                const char *line, *message;
                bool complaint;
        } cases[] = {
                { "{\"level\":\"info\",\"msg\":\"READY\",\"time\":\"x\"}", "READY", false },
                { "{\"level\":\"warning\",\"msg\":\"hm\"}", "hm", false },
                { "{\"level\":\"fatal\",\"msg\":\"no such file\"}", "no such file", true },
                { "{\"level\":\"error\",\"msg\":\"a\\u001b[31mb\"}", "a\\x1b[31mb", true },
                { "limactl: must not run as the root user", "limactl: must not run as the root user", true },
                { "panic: $HOME is not defined", "panic: $HOME is not defined", true },
                { "machine 0b5f2c1e", "machine 0b5f2c1e", false },
                { "{\"level\":\"fatal\"", "{\"level\":\"fatal\"", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                bool complaint = !cases[i].complaint;
                _cleanup_(freep) char *message = limactl_parse_line(cases[i].line, &complaint);

                assert_string_equal(message, cases[i].message);
                assert_int_equal(complaint, cases[i].complaint);
        }
}

static void the_program_of_a_command_line_is_replaced_and_its_arguments_stay(void **state)
{
        static const struct {
                const char *line, *program, *wanted, *replaced;
        } cases[] = {
                { "qemu-system-x86_64", "/a b/shim", "'/a b/shim'", "qemu-system-x86_64" },
                { " /opt/q  -accel tcg -cpu 'max,la57=off'", "/shim", "'/shim'  -accel tcg -cpu 'max,la57=off'", "/opt/q" },
                { "'/opt/q' -m 1", "/shim", NULL, NULL },
                { "/opt/q\\ x", "/shim", NULL, NULL },
                { "$(q)", "/shim", NULL, NULL },
                { "q", "/it's", NULL, NULL },
                { "", "/shim", NULL, NULL },
                { "  ", "/shim", NULL, NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(freep) char *replaced = NULL;
                _cleanup_(freep) char *line = limactl_replace_program(cases[i].line, cases[i].program, &replaced);

                assert_true(streq_ptr(line, cases[i].wanted));
                assert_true(streq_ptr(replaced, cases[i].replaced));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_program_of_a_command_line_is_replaced_and_its_arguments_stay),
                cmocka_unit_test(a_version_is_read_in_all_its_forms),
                cmocka_unit_test(a_log_line_is_its_message_and_an_error_is_known_for_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
