/* Steps nest, keep the last lines of a step that fails, and survive events out of order. */
#include "capture.h"

#include "term/steps.h"

static void a_step_begun_inside_another_is_its_child(void **state)
{
        _cleanup_(steps_clear) struct steps steps = STEPS_INIT;

        assert_null(steps_current(&steps));
        steps_begin(&steps, "create", "making the VM");
        steps_begin(&steps, "base", "building the base image");
        assert_string_equal(steps_current(&steps)->id, "base");
        assert_int_equal(steps_current(&steps)->depth, 1);
        assert_string_equal(steps_end(&steps, "base", EVENT_DONE, NULL)->id, "base");
        steps_begin(&steps, "disk", "making the disk");
        assert_int_equal(steps_current(&steps)->depth, 1);
        steps_end(&steps, "disk", EVENT_DONE, NULL);
        assert_string_equal(steps_current(&steps)->id, "create");
        steps_end(&steps, "create", EVENT_DONE, NULL);
        assert_null(steps_current(&steps));
        assert_int_equal(steps.count, 3);
}

static void only_the_last_lines_are_kept(void **state)
{
        _cleanup_(steps_clear) struct steps steps = STEPS_INIT;
        const struct step *step;

        steps_line(&steps, "outside of any step");
        steps_begin(&steps, "base", "building");
        assert_null(step_kept_line(steps_current(&steps), 0));
        for (int i = 0; i < 3 * STEP_LINES; i++) {
                _cleanup_(freep) char *line = xasprintf("line %d", i);

                steps_line(&steps, line);
        }
        step = steps_end(&steps, "base", EVENT_FAILED, "it broke");
        assert_string_equal(step_kept_line(step, 0), "line 20");
        assert_string_equal(step_kept_line(step, STEP_LINES - 1), "line 29");
        assert_null(step_kept_line(step, STEP_LINES));
}

static void a_step_that_succeeded_keeps_none(void **state)
{
        _cleanup_(steps_clear) struct steps steps = STEPS_INIT;

        steps_begin(&steps, "base", "building");
        steps_line(&steps, "a line");
        assert_null(step_kept_line(steps_end(&steps, "base", EVENT_DONE, NULL), 0));
}

static void ending_an_outer_step_ends_those_inside(void **state)
{
        _cleanup_(steps_clear) struct steps steps = STEPS_INIT;

        steps_begin(&steps, "create", "making");
        steps_begin(&steps, "base", "building");
        steps_begin(&steps, "packages", "fetching");
        steps_end(&steps, "create", EVENT_FAILED, NULL);
        assert_null(steps_current(&steps));
        for (size_t i = 0; i < steps.count; i++)
                assert_int_equal(steps.items[i].outcome, EVENT_FAILED);
}

static void ending_what_does_not_run_is_nothing(void **state)
{
        _cleanup_(steps_clear) struct steps steps = STEPS_INIT;

        assert_null(steps_end(&steps, "base", EVENT_DONE, NULL));
        steps_begin(&steps, "create", "making");
        assert_null(steps_end(&steps, "base", EVENT_DONE, NULL));
        assert_string_equal(steps_current(&steps)->id, "create");
}

static void of_two_steps_with_one_id_the_inner_one_ends(void **state)
{
        _cleanup_(steps_clear) struct steps steps = STEPS_INIT;

        steps_begin(&steps, "base", "outer");
        steps_begin(&steps, "base", "inner");
        assert_string_equal(steps_end(&steps, "base", EVENT_DONE, NULL)->text, "inner");
        assert_string_equal(steps_current(&steps)->text, "outer");
}

static void nothing_in_them_can_drive_the_terminal(void **state)
{
        _cleanup_(steps_clear) struct steps steps = STEPS_INIT;
        const struct step *step;

        steps_begin(&steps, "base", "build\033[2Jing");
        steps_line(&steps, "a\tb\rc\td\r");
        step = steps_end(&steps, "base", EVENT_FAILED, "no\nreason");
        assert_string_equal(step->text, "build\\x1b[2Jing");
        assert_string_equal(step_kept_line(step, 0), "c d");
        assert_string_equal(step->reason, "no\\x0areason");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_step_begun_inside_another_is_its_child),
                cmocka_unit_test(only_the_last_lines_are_kept),
                cmocka_unit_test(a_step_that_succeeded_keeps_none),
                cmocka_unit_test(ending_an_outer_step_ends_those_inside),
                cmocka_unit_test(ending_what_does_not_run_is_nothing),
                cmocka_unit_test(of_two_steps_with_one_id_the_inner_one_ends),
                cmocka_unit_test(nothing_in_them_can_drive_the_terminal),
        };

        return cmocka_run_group_tests_name("term/steps", tests, NULL, NULL);
}
