/* That guests are emulated is said once, with what helps. */
#include "fixture.h"

#include "operation/engines.h"

static struct {
        bool usable;
        const char *note, *hint;
} found;

static int probe(struct engine_probe *out, struct error **err)
{
        *out = (struct engine_probe){ .usable = found.usable,
                                      .note = found.note ? xstrdup(found.note) : NULL,
                                      .hint = found.hint ? xstrdup(found.hint) : NULL };
        return 0;
}

static const struct engine slow_engine = { .name = "fake", .probe = probe };

static void it_is_said_once_with_what_helps(void **state)
{
        found.usable = true;
        found.note = "no hardware virtualisation";
        found.hint = "sudo do something";
        free(fixture_write("XDG_STATE_HOME/machine", "any", ""));
        engine_warn_slow(&slow_engine, front.events);
        assert_string_equal(fake.warnings, "no hardware virtualisation; sudo do something (said once; see machine doctor)\n");
        engine_warn_slow(&slow_engine, front.events);
        assert_ptr_equal(strchr(fake.warnings, '\n'), fake.warnings + strlen(fake.warnings) - 1);
}

static void a_fast_engine_is_nothing_to_say_and_a_slow_one_later_is(void **state)
{
        found.usable = true;
        found.note = found.hint = NULL;
        free(fixture_write("XDG_STATE_HOME/machine", "any", ""));
        engine_warn_slow(&slow_engine, front.events);
        assert_string_equal(fake.warnings, "");
        found.note = "slow by now";
        engine_warn_slow(&slow_engine, front.events);
        assert_string_equal(fake.warnings, "slow by now (said once; see machine doctor)\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_is_said_once_with_what_helps, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(a_fast_engine_is_nothing_to_say_and_a_slow_one_later_is, fixture_setup,
                                                fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
