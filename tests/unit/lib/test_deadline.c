/* Limits on waiting. */
#include "check.h"

#include <limits.h>
#include <poll.h>

#include "lib/deadline.h"

static void time_goes_forward(void **state)
{
        int64_t before = now_ms();

        assert_true(before > 0);
        assert_int_equal(poll(NULL, 0, 20), 0);
        assert_true(now_ms() >= before + 20);
        assert_true(now_ms() < before + 10000);
}

static void a_negative_limit_is_none(void **state)
{
        assert_true(deadline_in(-1) == DEADLINE_NEVER);
        assert_true(deadline_in(INT_MIN) == DEADLINE_NEVER);
        assert_int_equal(deadline_left(DEADLINE_NEVER), -1);
        assert_false(deadline_passed(DEADLINE_NEVER));
}

static void a_limit_of_zero_has_passed_at_once(void **state)
{
        deadline now = deadline_in(0);

        assert_int_equal(deadline_left(now), 0);
        assert_true(deadline_passed(now));
}

static void what_is_left_shrinks_to_zero(void **state)
{
        deadline soon = deadline_in(30);
        int left = deadline_left(soon);

        assert_in_range(left, 1, 30);
        assert_false(deadline_passed(soon));
        assert_int_equal(poll(NULL, 0, 31), 0);
        assert_int_equal(deadline_left(soon), 0);
        assert_true(deadline_passed(soon));
        assert_int_equal(deadline_left(now_ms() - 1000000), 0);
}

static void what_is_left_fits_poll(void **state)
{
        assert_int_equal(deadline_left(now_ms() + INT64_C(10) * INT_MAX), INT_MAX);
        assert_int_equal(deadline_left(DEADLINE_NEVER - 1), INT_MAX);
        assert_true(deadline_left(deadline_in(INT_MAX)) > INT_MAX - 10000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(time_goes_forward),
                cmocka_unit_test(a_negative_limit_is_none),
                cmocka_unit_test(a_limit_of_zero_has_passed_at_once),
                cmocka_unit_test(what_is_left_shrinks_to_zero),
                cmocka_unit_test(what_is_left_fits_poll),
        };

        return cmocka_run_group_tests_name("lib/deadline", tests, NULL, NULL);
}
