/* The rules in a VM's folder stay as they were when there is no room for new ones. A file-size limit plays the full disk. */
#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>

#include "vm/rules.h"
#include "vm/vm.h"

static void set_limit(rlim_t bytes)
{
        struct rlimit limit;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = bytes;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void rules_that_do_not_fit_leave_those_that_are_there(void **state)
{
        struct vm vm = { .name = xstrdup("blog"), .folder = xstrdup(*state), .record = VM_RECORD_INIT, .lock = LOCK_INIT };
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = rules_path(&vm);
        _cleanup_(freep) char *before = NULL;
        _cleanup_(freep) char *after = NULL;
        struct rlimit old;

        vm.record.egress = xstrdup("allow");
        strv_add(&vm.record.allow, "example.org");
        assert_int_equal(rules_write(&vm, NULL), 0);
        before = scratch_read(path);
        for (int i = 0; i < 100; i++)
                strv_add(&vm.record.allow, "much-longer.example.org");

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
        signal(SIGXFSZ, SIG_IGN);
        set_limit(200);
        assert_int_equal(rules_write(&vm, &err), -1);
        set_limit(old.rlim_cur);
        after = scratch_read(path);
        assert_string_equal(after, before);
        assert_non_null(strstr(err->message, "egress.rules"));
        vm_clear(&vm);
}

static void longer_and_shorter_rules_replace_each_other(void **state)
{
        struct vm vm = { .name = xstrdup("blog"), .folder = xstrdup(*state), .record = VM_RECORD_INIT, .lock = LOCK_INIT };
        _cleanup_(freep) char *path = rules_path(&vm);
        _cleanup_(freep) char *more = NULL;
        _cleanup_(freep) char *less = NULL;

        vm.record.egress = xstrdup("allow");
        strv_adds(&vm.record.allow, "example.org", "example.com", NULL);
        assert_int_equal(rules_write(&vm, NULL), 0);
        more = scratch_read(path);
        assert_true(starts_with(more, "allow\nexample.org\nexample.com\nend "));
        strv_clear(&vm.record.allow);
        assert_int_equal(rules_write(&vm, NULL), 0);
        less = scratch_read(path);
        assert_true(starts_with(less, "allow\nend "));
        assert_int_equal(strlen(less), strlen(more) - strlen("example.org\nexample.com\n"));
        vm_clear(&vm);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(rules_that_do_not_fit_leave_those_that_are_there, scratch_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(longer_and_shorter_rules_replace_each_other, scratch_setup, scratch_teardown),
        };

        return cmocka_run_group_tests_name("vm/rules", tests, NULL, NULL);
}
