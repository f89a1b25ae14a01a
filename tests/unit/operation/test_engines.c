/* Which engines there are, what one can't hold, and that guests are emulated, which is said once, with what helps. */
#include "fixture.h"

#include "operation/boundary.h"
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

static void expect_refused(const char *name, const char *hint)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *message = xasprintf("no engine '%s' in this build", name);

        assert_int_equal(engine_check_name(name, &err), -1);
        assert_int_equal(err->kind, ERROR_USAGE);
        assert_string_equal(err->message, message);
        assert_string_equal(err->hint, hint);
}

static void a_name_that_is_no_engines_is_refused_with_those_that_are(void **state)
{
        assert_int_equal(engine_check_name("fake", NULL), 0);
        assert_int_equal(engine_check_name("auto", NULL), 0);
        expect_refused("nothing-like-it", "there are: fake, auto");
        expect_refused("fkae", "did you mean 'fake'?");
}

static const struct weaker_line with_lan[] = { { "lan", "guests reach the network around this computer", true },
                                               { NULL, NULL, false } };
static const struct engine weak_engine = { .name = "weak", .weaker = with_lan };

static void expect_not_held(const struct project *project, const char *message)
{
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(boundary_check(project, &weak_engine, &err), -1);
        assert_int_equal(err->kind, ERROR_CONFIG);
        assert_string_equal(err->message, message);
        assert_non_null(strstr(err->hint, "to accept less: weaker_line = true"));
}

static void what_an_engine_cannot_hold_is_refused_unless_less_is_accepted(void **state)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;

        assert_int_equal(project_default(&project, "blog", NULL, NULL), 0);
        assert_int_equal(boundary_check(&project, &weak_engine, NULL), 0);
        project.lan_given = true;
        expect_not_held(&project, "engine 'weak' can't hold 'lan = false'");
        project.file = xstrdup("/x/projects.toml");
        expect_not_held(
                &project,
                "engine 'weak' can't hold 'lan = false' of project 'blog': its guests reach the network around this computer");
        set_string(&project.egress, xstrdup("allow"));
        expect_not_held(&project, "engine 'weak' can't hold egress = \"allow\" of project 'blog': its guests reach everything");
        project.weaker_line = true;
        assert_int_equal(boundary_check(&project, &weak_engine, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_is_said_once_with_what_helps, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(a_fast_engine_is_nothing_to_say_and_a_slow_one_later_is, fixture_setup,
                                                fixture_teardown),
                TEST(a_name_that_is_no_engines_is_refused_with_those_that_are),
                TEST(what_an_engine_cannot_hold_is_refused_unless_less_is_accepted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
