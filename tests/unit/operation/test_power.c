/* A VM is started and stopped by its engine. A half-made or half-removed one is not. */
#include "fixture.h"

#include "operation/power.h"
#include "operation/running.h"

static struct vm open_locked(const char *name)
{
        struct vm vm = VM_INIT;

        assert_int_equal(vm_open_existing(&vm, name, NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        return vm;
}

static void a_start_writes_the_ssh_configuration_first(void **state)
{
        fixture_vm("blog", NULL, INTENT_NONE);
        {
                _cleanup_(vm_clear) struct vm vm = open_locked("blog");
                _cleanup_(freep) char *config = path_join(vm.folder, "ssh_config");
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(power_start(&front, &vm, NULL), 0);
                assert_string_equal(fake.calls, "start");
                text = scratch_read(config);
                assert_non_null(strstr(text, "machine-blog"));
        }
}

static void what_is_half_made_or_half_removed_is_not_started(void **state)
{
        static const struct {
                enum vm_intent intent;
                const char *said, *hint;
        } cases[] = {
                { INTENT_CREATE, "VM 'blog' is only half made", "machine up blog" },
                { INTENT_DESTROY, "VM 'blog' is only half removed", "machine destroy blog" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(error_freep) struct error *err = NULL;

                fixture_vm("blog", NULL, cases[i].intent);
                _cleanup_(vm_clear) struct vm vm = open_locked("blog");

                assert_int_equal(power_start(&front, &vm, &err), -1);
                assert_string_equal(err->message, cases[i].said);
                assert_string_equal(err->hint, cases[i].hint);
                assert_string_equal(fake.calls, "");
        }
}

static void one_that_is_half_set_up_is_started(void **state)
{
        fixture_vm("blog", NULL, INTENT_SETUP);
        {
                _cleanup_(vm_clear) struct vm vm = open_locked("blog");

                assert_int_equal(power_start(&front, &vm, NULL), 0);
        }
}

static void only_what_runs_is_stopped(void **state)
{
        fixture_vm("blog", NULL, INTENT_NONE);
        {
                _cleanup_(vm_clear) struct vm vm = open_locked("blog");
                bool was_running = true;

                assert_int_equal(power_stop(&front, &vm, &was_running, NULL), 0);
                assert_false(was_running);
                assert_string_equal(fake.calls, "");
                fake.state = VM_RUNNING;
                assert_int_equal(power_stop(&front, &vm, &was_running, NULL), 0);
                assert_true(was_running);
                assert_string_equal(fake.calls, "stop");
        }
}

static void what_the_engine_says_of_a_failure_is_handed_on(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        fixture_vm("blog", NULL, INTENT_NONE);
        {
                _cleanup_(vm_clear) struct vm vm = open_locked("blog");

                fake.fails = true;
                assert_int_equal(power_start(&front, &vm, &err), -1);
                assert_string_equal(err->message, "it can't start");
                assert_null(err->hint);
        }
}

static void a_start_that_was_too_slow_says_what_goes_on_with_it(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        fixture_vm("blog", NULL, INTENT_NONE);
        {
                _cleanup_(vm_clear) struct vm vm = open_locked("blog");

                fake.fails = true;
                fake.passes = "it is quicker later";
                assert_int_equal(power_start(&front, &vm, &err), -1);
                assert_string_equal(err->hint,
                                    "run it again: machine up blog goes on from where it stopped, and it is quicker later");
        }
}

static void one_that_is_paused_is_not_written_to_and_goes_on_when_it_can(void **state)
{
        _cleanup_(vm_clear) struct vm opened = VM_INIT;

        fixture_vm("blog", NULL, INTENT_NONE);
        fake.state = VM_PAUSED;
        {
                _cleanup_(error_freep) struct error *err = NULL;
                _cleanup_(vm_clear) struct vm vm = open_locked("blog");
                _cleanup_(freep) char *config = path_join(vm.folder, "ssh_config");

                assert_int_equal(power_boot(&front, &vm, &err), -1);
                assert_string_equal(err->message, "VM 'blog' is paused");
                assert_false(file_exists(config));
                assert_int_equal(running_open_by_name(&front, "blog", &opened, NULL), -1);
                fake.room = true;
                /* Without the lock, which another command may hold for long. */
                assert_int_equal(running_open_by_name(&front, "blog", &opened, NULL), 0);
        }
        assert_int_equal(fake.state, VM_RUNNING);
        assert_string_equal(fake.calls, "");
}

static void one_that_is_paused_is_stopped_only_when_it_can_go_on(void **state)
{
        fixture_vm("blog", NULL, INTENT_NONE);
        fake.state = VM_PAUSED;
        {
                _cleanup_(vm_clear) struct vm vm = open_locked("blog");
                bool was_running = false;

                assert_int_equal(power_stop(&front, &vm, &was_running, NULL), -1);
                assert_string_equal(fake.calls, "");
                fake.room = true;
                assert_int_equal(power_stop(&front, &vm, &was_running, NULL), 0);
                assert_true(was_running);
                assert_string_equal(fake.calls, "stop");
        }
}

static void one_whose_engine_cannot_park_is_left_running(void **state)
{
        fixture_vm("blog", NULL, INTENT_NONE);
        fake.state = VM_RUNNING;
        {
                _cleanup_(error_freep) struct error *err = NULL;
                _cleanup_(vm_clear) struct vm vm = open_locked("blog");
                bool was_running = false;

                assert_int_equal(power_park(&front, &vm, &was_running, &err), -1);
                assert_string_equal(err->message, "engine 'fake' can't park VM 'blog'");
                assert_string_equal(err->hint, "machine down blog");
                assert_string_equal(fake.calls, "");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_start_writes_the_ssh_configuration_first),
                TEST(what_is_half_made_or_half_removed_is_not_started),
                TEST(one_that_is_half_set_up_is_started),
                TEST(only_what_runs_is_stopped),
                TEST(what_the_engine_says_of_a_failure_is_handed_on),
                TEST(a_start_that_was_too_slow_says_what_goes_on_with_it),
                TEST(one_that_is_paused_is_not_written_to_and_goes_on_when_it_can),
                TEST(one_that_is_paused_is_stopped_only_when_it_can_go_on),
                TEST(one_whose_engine_cannot_park_is_left_running),
        };

        return cmocka_run_group_tests_name("operation/power", tests, NULL, NULL);
}
