/* How often the person is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keys/patience.h"

#define BEGIN INT64_C(1000000)

static void each_that_is_not_a_yes_makes_the_next_wait_longer(void **state)
{
        struct patience patience = { 0 };
        int64_t now = BEGIN;
        int64_t pause = PATIENCE_FIRST_MS;

        for (int i = 0; i < 12; i++) {
                assert_int_equal(patience_judge(&patience, now), ANSWER_YES);
                patience_note(&patience, false, now);
                assert_int_equal(patience_judge(&patience, now), ANSWER_HELD_OFF);
                assert_int_equal(patience_judge(&patience, now + pause - 1), ANSWER_HELD_OFF);
                now += pause;
                pause = pause * 2 < PATIENCE_LONGEST_MS ? pause * 2 : PATIENCE_LONGEST_MS;
        }
}

static void a_yes_begins_anew(void **state)
{
        struct patience patience = { 0 };

        for (int i = 0; i < 5; i++)
                patience_note(&patience, false, BEGIN);
        patience_note(&patience, true, BEGIN);
        assert_int_equal(patience_judge(&patience, BEGIN), ANSWER_YES);
        patience_note(&patience, false, BEGIN);
        assert_int_equal(patience_judge(&patience, BEGIN + PATIENCE_FIRST_MS), ANSWER_YES);
}

static void there_are_so_many_in_a_span(void **state)
{
        struct patience patience = { 0 };

        for (int i = 0; i < PATIENCE_MOST; i++) {
                assert_int_equal(patience_judge(&patience, BEGIN + i), ANSWER_YES);
                patience_note(&patience, true, BEGIN + i);
        }
        assert_int_equal(patience_judge(&patience, BEGIN + PATIENCE_SPAN_MS - 1), ANSWER_TOO_MANY);
        assert_int_equal(patience_judge(&patience, BEGIN + PATIENCE_SPAN_MS), ANSWER_YES);
}

/* The times are from a clock that begins again when the computer boots. */
static void what_is_of_another_boot_counts_for_nothing(void **state)
{
        struct patience patience = { .span_began = BEGIN, .asked = PATIENCE_MOST, .unanswered = 9 };

        assert_int_equal(patience_judge(&patience, BEGIN / 2), ANSWER_YES);
        patience = (struct patience){ .span_began = 1, .unanswered = 9, .held_off_until = BEGIN };
        assert_int_equal(patience_judge(&patience, 2), ANSWER_YES);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_that_is_not_a_yes_makes_the_next_wait_longer),
                cmocka_unit_test(a_yes_begins_anew),
                cmocka_unit_test(there_are_so_many_in_a_span),
                cmocka_unit_test(what_is_of_another_boot_counts_for_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
