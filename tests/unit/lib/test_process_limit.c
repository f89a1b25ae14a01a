/* Limits on output and time that are told instead of being failures. */
#include "check.h"

#include <sys/wait.h>

#include "lib/deadline.h"
#include "lib/process.h"

#define ARGV(...)  ((const char *const[]){ __VA_ARGS__, NULL })
#define SHELL(...) ARGV("sh", "-c", __VA_ARGS__)

static void run(const struct process_spec *spec, struct process_result *result)
{
        _cleanup_(error_freep) struct error *err = NULL;

        if (process_run(spec, result, &err) < 0)
                fail_msg("%s", err->message);
}

static void a_limit_that_is_told_keeps_both_ends(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        /* 1 to 9999 are 48888 bytes; in an odd limit the larger half is the last. */
        run(&(struct process_spec){ .argv = SHELL("seq 9999; printf 0123456789 >&2"), .output_limit = 11, .tell_limits = true },
            &result);
        assert_string_equal(result.out.buf, "1\n2\n3\n9999\n");
        assert_int_equal(result.out_cut, 48888 - 11);
        assert_string_equal(result.err.buf, "0123456789");
        assert_int_equal(result.err_cut, 0);
        assert_int_equal(WEXITSTATUS(result.status), 0);
        assert_false(result.late);
}

static void output_that_just_fits_loses_nothing(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        run(&(struct process_spec){ .argv = SHELL("printf 0123456789"), .output_limit = 10, .tell_limits = true }, &result);
        assert_string_equal(result.out.buf, "0123456789");
        assert_int_equal(result.out_cut, 0);
        run(&(struct process_spec){ .argv = SHELL("printf 0123456789a"), .output_limit = 10, .tell_limits = true }, &result);
        assert_string_equal(result.out.buf, "012346789a");
        assert_int_equal(result.out_cut, 1);
}

static void a_time_limit_that_is_told_keeps_what_was_said(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        int64_t began = now_ms();

        run(&(struct process_spec){ .argv = SHELL("echo out; echo err >&2; exec sleep 600"),
                                    .timeout_ms = 300,
                                    .tell_limits = true },
            &result);
        assert_true(result.late);
        assert_string_equal(result.out.buf, "out\n");
        assert_string_equal(result.err.buf, "err\n");
        assert_true(now_ms() - began < 60000);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        run(&(struct process_spec){ .argv = ARGV("cat", "/dev/zero"),
                                    .output_limit = 1000,
                                    .timeout_ms = 300,
                                    .tell_limits = true },
            &result);
        assert_true(result.late && result.out_cut > 0);
        assert_int_equal(result.out.len, 1000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_limit_that_is_told_keeps_both_ends),
                cmocka_unit_test(output_that_just_fits_loses_nothing),
                cmocka_unit_test(a_time_limit_that_is_told_keeps_what_was_said),
        };

        return cmocka_run_group_tests_name("lib/process-limit", tests, NULL, NULL);
}
