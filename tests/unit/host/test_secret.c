/* What a provider prints goes into locked memory, within limits, and never into a message. */
#include "scratch.h"

#include "host/secret.h"

static int sh(const char *script, bool first_line, int timeout_ms, struct secret *out, struct error **err)
{
        return secret_run((const char *const[]){ "sh", "-c", script, NULL }, first_line, false, timeout_ms, out, err);
}

static const struct {
        const char *script;
        bool first_line;
        const char *value;
} good[] = {
        { "printf value", false, "value" },
        { "echo value", false, "value" },
        { "printf 'two\\nlines\\n\\n'", false, "two\nlines\n" },
        { "printf 'first\\nlogin: jane\\n'", true, "first" },
        { "echo noise >&2; echo value", false, "value" },
        { "printf '  spaces '", false, "  spaces " },
};

static void what_is_printed_is_the_value(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                _cleanup_(secret_clear) struct secret secret = SECRET_INIT;

                assert_int_equal(sh(good[i].script, good[i].first_line, 10000, &secret, NULL), 0);
                assert_int_equal(secret.length, strlen(good[i].value));
                assert_memory_equal(secret.data, good[i].value, secret.length);
        }
}

static const struct {
        const char *script, *said;
} bad[] = {
        { "echo hunter2; echo 'is locked' >&2; exit 1", "is locked" },
        { "echo hunter2; exit 3", "exit status 3" },
        { "true", "it is empty" },
        { "echo", "it is empty" },
        { "printf 'hunter2\\0x'", "it has a NUL byte" },
        { "head -c 70000 /dev/zero | tr '\\0' x", "it prints more than 65536 bytes" },
        { "echo hunter2; printf 'bad \\033[2J' >&2; exit 1", "bad \\x1b[2J" },
};

static void a_failure_says_why_and_not_what(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_(secret_clear) struct secret secret = SECRET_INIT;
                _cleanup_(error_freep) struct error *err = NULL;

                assert_int_equal(sh(bad[i].script, false, 10000, &secret, &err), -1);
                if (!strstr(err->message, bad[i].said))
                        fail_msg("'%s' does not say '%s'", err->message, bad[i].said);
                assert_null(strstr(err->message, "hunter2"));
                assert_null(secret.data);
        }
}

static void one_that_hangs_is_ended(void **state)
{
        _cleanup_(secret_clear) struct secret secret = SECRET_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(sh("echo hunter2; exec sleep 600", false, 200, &secret, &err), -1);
        assert_non_null(strstr(err->message, "it takes too long"));
}

static void a_program_that_is_not_there_is_named(void **state)
{
        _cleanup_(secret_clear) struct secret secret = SECRET_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(secret_run((const char *const[]){ "no-such-provider", NULL }, false, false, 1000, &secret, &err), -1);
        assert_non_null(strstr(err->message, "no-such-provider"));
}

static void a_variable_is_taken_or_missed(void **state)
{
        _cleanup_(secret_clear) struct secret secret = SECRET_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        setenv("TEST_SECRET", "from here", 1);
        assert_int_equal(secret_take("TEST_SECRET", &secret, NULL), 0);
        assert_memory_equal(secret.data, "from here", secret.length);
        unsetenv("TEST_SECRET");
        assert_int_equal(secret_take("TEST_SECRET", &secret, &err), -1);
        assert_non_null(strstr(err->message, "'TEST_SECRET' is not set"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_printed_is_the_value),  cmocka_unit_test(a_failure_says_why_and_not_what),
                cmocka_unit_test(one_that_hangs_is_ended),       cmocka_unit_test(a_program_that_is_not_there_is_named),
                cmocka_unit_test(a_variable_is_taken_or_missed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
