/* What exists of a VM, and what would have to be done: the plan that `up` carries out. Nothing is changed. */
#include "fixture.h"

#include "operation/observe.h"
#include "show/recipe.h"

static void setup_target(struct target *target, const char *text)
{
        fixture_projects(text);
        free(fixture_write("XDG_CONFIG_HOME/machine", "provision.toml", ""));
        assert_int_equal(target_wanted(&front, "blog", target, NULL), 0);
}

static void of_a_vm_that_is_not_there_all_is_to_do(void **state)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(plan_clear) struct plan plan = PLAN_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(json_decrefp) json_t *shown = NULL;

        setup_target(&target, "[blog]\n");
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(observe_preview(&vm, &target, &plan, &recipe, NULL), 0);
        assert_true(plan.count > 2);
        assert_int_equal(plan.steps[0].type, PLAN_CREATE);
        shown = show_plan(&plan, &(struct outlook)OUTLOOK_INIT, &recipe);
        assert_string_equal(json_string_value(json_object_get(json_array_get(shown, 0), "step")), "create");
        assert_string_equal(fake.calls, "");
}

static void a_changed_project_is_a_difference(void **state)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(drift_clear) struct drift drift = DRIFT_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        bool found = false;

        setup_target(&target, "[blog]\ncpus = 7\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        fake.state = VM_RUNNING;
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(observe_drift(&vm, &target, &status, &drift, NULL), 0);
        assert_int_equal(status.state, VM_RUNNING);
        for (size_t i = 0; i < drift.count; i++)
                found |= streq(drift.items[i].what, "cpus") && streq(drift.items[i].wanted, "7");
        assert_true(found);
}

static void a_vm_that_cannot_be_asked_has_no_plan(void **state)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(observation_clear) struct observation observed = OBSERVATION_INIT;
        _cleanup_(plan_clear) struct plan plan = PLAN_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        setup_target(&target, "[blog]\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        fake.fails = true;
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(observe_plan(&vm, &target, &observed, &plan, &err), -1);
        assert_int_equal(err->kind, ERROR_ENGINE);
}

static void an_engine_that_cannot_hold_the_rules_is_refused(void **state)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(observation_clear) struct observation observed = OBSERVATION_INIT;
        _cleanup_(plan_clear) struct plan plan = PLAN_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        setup_target(&target, "[blog]\negress = 'none'\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        assert_int_equal(vm_open(&vm, "blog", NULL), 0);
        assert_int_equal(observe_plan(&vm, &target, &observed, &plan, &err), -1);
        assert_non_null(strstr(err->message, "engine 'fake' can't hold egress"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(of_a_vm_that_is_not_there_all_is_to_do),
                TEST(a_changed_project_is_a_difference),
                TEST(a_vm_that_cannot_be_asked_has_no_plan),
                TEST(an_engine_that_cannot_hold_the_rules_is_refused),
        };

        return cmocka_run_group_tests_name("operation/observe", tests, NULL, NULL);
}
