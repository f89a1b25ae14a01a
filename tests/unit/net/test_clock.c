/* libslirp's clock goes forward, and not while it stands still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/clock.h"

static void it_shows_the_time_until_it_is_stopped(void **state)
{
        struct clock clock = { 0 };

        assert_int_equal(clock_read(&clock, 100), 100);
        assert_int_equal(clock_go_on(&clock, 150), 0);
        assert_int_equal(clock_read(&clock, 200), 200);
}

static void it_stands_still_and_goes_on_from_there(void **state)
{
        struct clock clock = { 0 };

        clock_stop(&clock, 100);
        assert_int_equal(clock_read(&clock, 500), 100);
        assert_int_equal(clock_go_on(&clock, 1000), 900);
        assert_int_equal(clock_read(&clock, 1000), 100);
        assert_int_equal(clock_read(&clock, 1001), 101);
}

static void each_stop_adds_to_the_ones_before(void **state)
{
        struct clock clock = { 0 };

        clock_stop(&clock, 100);
        clock_go_on(&clock, 200);
        clock_stop(&clock, 300);
        assert_int_equal(clock_read(&clock, 5000), 200);
        assert_int_equal(clock_go_on(&clock, 1300), 1000);
        assert_int_equal(clock_read(&clock, 1400), 300);
}

static void stopping_twice_is_stopping_once(void **state)
{
        struct clock clock = { 0 };

        clock_stop(&clock, 100);
        clock_stop(&clock, 700);
        assert_int_equal(clock_read(&clock, 800), 100);
        assert_int_equal(clock_go_on(&clock, 1100), 1000);
}

static void it_is_the_monotonic_clock(void **state)
{
        int64_t first = clock_now();

        assert_true(first > 0 && clock_now() >= first);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_shows_the_time_until_it_is_stopped),
                cmocka_unit_test(it_stands_still_and_goes_on_from_there),
                cmocka_unit_test(each_stop_adds_to_the_ones_before),
                cmocka_unit_test(stopping_twice_is_stopping_once),
                cmocka_unit_test(it_is_the_monotonic_clock),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
