/* Nothing is removed before it is known what it holds. A program in place of ssh says what the guest would. */
#include "fixture.h"

#include "operation/destroy.h"

/* `says` are lines of shell that print the guest's report. */
static int check(const char *folder, enum vm_intent intent, const char *says, struct work *found, struct error **err)
{
        _cleanup_(freep) char *text = xasprintf("#!/bin/sh\n%s", says);
        _cleanup_(freep) char *ssh = fixture_write("bin", "ssh", text);
        _cleanup_(freep) char *data = path_join(folder, "data");
        _cleanup_(freep) char *path = xasprintf("%s/bin:/usr/bin:/bin", folder);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        free(fixture_write("data/guest/session", "work.sh", "exit 1\n"));
        assert_int_equal(chmod(ssh, 0700), 0);
        setenv("MACHINE_DATA_DIR", data, 1);
        setenv("PATH", path, 1);
        fixture_vm("blog", NULL, intent);
        assert_int_equal(vm_open_existing(&vm, "blog", NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        return destroy_check_work(&front, &vm, found, err);
}

static void one_that_is_stopped_is_started_and_asked(void **state)
{
        _cleanup_(work_clear) struct work found = WORK_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(check(*state, INTENT_NONE, "printf 'item files 9 0 ~/notes\\0files 1\\0end\\0'\n", &found, &err), -1);
        assert_string_equal(fake.calls, "start");
        assert_int_equal(err->kind, ERROR_WORK);
        assert_true(work_any(&found));
        assert_non_null(strstr(err->message, "~/notes"));
}

static void one_that_holds_nothing_may_go(void **state)
{
        _cleanup_(work_clear) struct work found = WORK_INIT;

        fake.state = VM_RUNNING;
        assert_int_equal(check(*state, INTENT_SETUP, "printf 'end\\0'\n", &found, NULL), 0);
        assert_false(work_any(&found));
}

static void one_that_can_not_say_counts_as_holding_work(void **state)
{
        static const char *const answers[] = { "exit 255\n", "echo no space left >&2; exit 1\n", "true\n",
                                               "printf 'files 1\\0'\n",
                                               "printf 'unread find: /x: Input/output error\\0end\\0'\n" };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                _cleanup_(work_clear) struct work found = WORK_INIT;
                _cleanup_(error_freep) struct error *err = NULL;

                assert_int_equal(check(*state, INTENT_NONE, answers[i], &found, &err), -1);
                assert_int_equal(err->kind, ERROR_WORK);
        }
}

static void what_was_never_set_up_or_is_half_removed_is_not_asked(void **state)
{
        static const enum vm_intent intents[] = { INTENT_CREATE, INTENT_DESTROY };
        struct work found = WORK_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(intents); i++)
                assert_int_equal(check(*state, intents[i], "exit 255\n", &found, NULL), 0);
        fake.state = VM_ABSENT;
        assert_int_equal(check(*state, INTENT_NONE, "exit 255\n", &found, NULL), 0);
        assert_string_equal(fake.calls, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(one_that_is_stopped_is_started_and_asked),
                TEST(one_that_holds_nothing_may_go),
                TEST(one_that_can_not_say_counts_as_holding_work),
                TEST(what_was_never_set_up_or_is_half_removed_is_not_asked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
