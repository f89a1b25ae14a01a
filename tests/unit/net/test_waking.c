/* When the waker wakes and when it parks: never two programs at a time, never for what belongs to an earlier hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/waking.h"

#define MINUTE 60000

static void hold(struct waking *waking, uint8_t number, int64_t now)
{
        waking_set(waking, &(struct waking_state){ .held = 1, .number = number }, now);
}

static void go(struct waking *waking, uint8_t number, int64_t now)
{
        waking_set(waking, &(struct waking_state){ .held = 0, .number = number }, now);
}

static void assert_next(struct waking *waking, int64_t now, enum waking_act act, int64_t wait)
{
        int64_t found;

        assert_int_equal(waking_next(waking, now, &found), act);
        assert_int_equal(found, wait);
}

static void a_parked_vm_is_woken_when_something_reaches_for_it(void **state)
{
        struct waking waking;

        waking_init(&waking, 0, 0);
        assert_next(&waking, 0, WAKING_NOTHING, -1);
        hold(&waking, 1, 10);
        assert_next(&waking, 20, WAKING_NOTHING, -1);
        waking_byte(&waking, 1);
        assert_next(&waking, 20, WAKING_WAKE, -1);
        assert_next(&waking, 30, WAKING_NOTHING, -1);
        go(&waking, 1, 40);
        waking_ended(&waking, 50);
        assert_next(&waking, 60, WAKING_NOTHING, -1);
}

static void the_byte_may_come_before_the_word(void **state)
{
        struct waking waking;

        waking_init(&waking, 0, 0);
        waking_byte(&waking, 1);
        assert_next(&waking, 5, WAKING_NOTHING, -1);
        hold(&waking, 1, 10);
        assert_next(&waking, 10, WAKING_WAKE, -1);
}

static void a_byte_of_an_earlier_hold_wakes_nothing(void **state)
{
        struct waking waking;

        waking_init(&waking, 0, 0);
        hold(&waking, 1, 10);
        go(&waking, 1, 20);
        waking_byte(&waking, 1);
        hold(&waking, 2, 30);
        assert_next(&waking, 40, WAKING_NOTHING, -1);
        waking_byte(&waking, 2);
        assert_next(&waking, 50, WAKING_WAKE, -1);
}

static void a_wake_that_fails_is_tried_again_ever_more_rarely(void **state)
{
        struct waking waking;
        int64_t now = 10, pause = WAKING_PAUSE_MS;

        waking_init(&waking, 0, 0);
        hold(&waking, 1, now);
        waking_byte(&waking, 1);
        for (int i = 0; i < 20; i++) {
                assert_next(&waking, now, WAKING_WAKE, -1);
                /* However often something reaches meanwhile. */
                waking_byte(&waking, 1);
                waking_ended(&waking, now += 100);
                waking_byte(&waking, 1);
                assert_next(&waking, now, WAKING_NOTHING, pause);
                assert_next(&waking, now + pause - 1, WAKING_NOTHING, 1);
                now += pause;
                pause = pause * 2 < WAKING_PAUSE_MOST_MS ? pause * 2 : WAKING_PAUSE_MOST_MS;
        }
        assert_int_equal(pause, WAKING_PAUSE_MOST_MS);
}

static void the_next_hold_begins_without_a_pause(void **state)
{
        struct waking waking;

        waking_init(&waking, 0, 0);
        hold(&waking, 1, 10);
        waking_byte(&waking, 1);
        assert_next(&waking, 10, WAKING_WAKE, -1);
        waking_ended(&waking, 20);
        go(&waking, 1, 30);
        hold(&waking, 2, 40);
        waking_byte(&waking, 2);
        assert_next(&waking, 40, WAKING_WAKE, -1);
        waking_ended(&waking, 50);
        assert_next(&waking, 50, WAKING_NOTHING, WAKING_PAUSE_MS);
}

static void an_idle_vm_is_looked_for_at_its_pace(void **state)
{
        struct waking waking;

        waking_init(&waking, MINUTE, 0);
        assert_next(&waking, 0, WAKING_NOTHING, MINUTE);
        assert_next(&waking, MINUTE, WAKING_PARK, -1);
        /* It takes long: no second one is started. */
        assert_next(&waking, 5 * MINUTE, WAKING_NOTHING, -1);
        waking_ended(&waking, 5 * MINUTE);
        assert_next(&waking, 5 * MINUTE, WAKING_NOTHING, MINUTE);
}

static void a_parked_vm_is_not_looked_at(void **state)
{
        struct waking waking;

        waking_init(&waking, MINUTE, 0);
        assert_next(&waking, MINUTE, WAKING_PARK, -1);
        /* The program itself parks the VM, and something reaches for it at once. */
        hold(&waking, 1, MINUTE + 10);
        waking_byte(&waking, 1);
        assert_next(&waking, MINUTE + 20, WAKING_NOTHING, -1);
        waking_ended(&waking, MINUTE + 30);
        assert_next(&waking, MINUTE + 30, WAKING_WAKE, -1);
        go(&waking, 1, MINUTE + 40);
        waking_ended(&waking, MINUTE + 50);
        assert_next(&waking, MINUTE + 50, WAKING_NOTHING, MINUTE);
}

static void without_a_reach_a_parked_vm_costs_nothing(void **state)
{
        struct waking waking;

        waking_init(&waking, MINUTE, 0);
        hold(&waking, 1, 10);
        assert_next(&waking, 100 * MINUTE, WAKING_NOTHING, -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_parked_vm_is_woken_when_something_reaches_for_it),
                cmocka_unit_test(the_byte_may_come_before_the_word),
                cmocka_unit_test(a_byte_of_an_earlier_hold_wakes_nothing),
                cmocka_unit_test(a_wake_that_fails_is_tried_again_ever_more_rarely),
                cmocka_unit_test(the_next_hold_begins_without_a_pause),
                cmocka_unit_test(an_idle_vm_is_looked_for_at_its_pace),
                cmocka_unit_test(a_parked_vm_is_not_looked_at),
                cmocka_unit_test(without_a_reach_a_parked_vm_costs_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
