/* Which project a command is about, and that a checkout counts only if the user trusts it. */
#include "fixture.h"

#include <unistd.h>

#include "config/checkout.h"
#include "config/trust.h"
#include "operation/target.h"

static char *make_checkout(const char *text)
{
        char *file = fixture_write("code/blog", CHECKOUT_FILE, text);
        char *checkout = path_folder(file);

        free(file);
        assert_int_equal(chdir(checkout), 0);
        return checkout;
}

static int leave(void **state)
{
        return chdir("/") < 0 ? -1 : fixture_teardown(state);
}

static void without_a_name_and_a_checkout_it_is_the_default_one(void **state)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;

        assert_int_equal(chdir(*state), 0);
        assert_int_equal(target_named(&front, NULL, &target, NULL), 0);
        assert_string_equal(target.name, "default");
        assert_true(target.configured);
}

static void a_name_is_a_table_of_projects_toml(void **state)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;

        fixture_projects("[blog]\ncpus = 3\n");
        assert_int_equal(target_wanted(&front, "blog", &target, NULL), 0);
        assert_int_equal(target.project.cpus, 3);
}

static void an_engine_of_the_table_can_be_named_and_no_other(void **state)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(target_clear) struct target wrong = TARGET_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        fixture_projects("[blog]\nengine = 'fake'\n");
        assert_int_equal(target_wanted(&front, "blog", &target, NULL), 0);
        assert_string_equal(target.project.engine, "fake");
        fixture_projects("[blog]\nengine = 'qemu'\n");
        assert_int_equal(target_wanted(&front, "blog", &wrong, &err), -1);
        assert_string_equal(err->message, "'engine' must be 'auto' or 'fake', not 'qemu'");
}

static void a_name_that_is_nothings_is_an_error_with_a_near_one(void **state)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        fixture_projects("[blog]\n");
        assert_int_equal(chdir(*state), 0);
        assert_int_equal(target_named(&front, "blgo", &target, &err), -1);
        assert_int_equal(err->kind, ERROR_NOT_FOUND);
        assert_string_equal(err->hint, "did you mean 'blog'?");
}

static void a_vm_that_outlived_its_project_is_found_but_not_wanted(void **state)
{
        _cleanup_(target_clear) struct target found = TARGET_INIT;
        _cleanup_(target_clear) struct target wanted = TARGET_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        fixture_vm("old", NULL, INTENT_NONE);
        assert_int_equal(target_named(&front, "old", &found, NULL), 0);
        assert_false(found.configured);
        assert_int_equal(target_wanted(&front, "old", &wanted, &err), -1);
        assert_int_equal(err->kind, ERROR_NOT_FOUND);
}

static void a_checkout_that_nobody_trusts_is_an_error(void **state)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) _unused_ char *checkout = make_checkout("name = 'blog'\nrepos = []\n");

        assert_int_equal(target_named(&front, NULL, &target, &err), -1);
        assert_int_equal(err->kind, ERROR_CONFIG);
        assert_non_null(strstr(err->message, "is not trusted yet"));
        assert_false(target.configured);
}

static int asked;

static int say_yes(struct front *who, const struct checkout_tree *tree, bool changed, struct error **err)
{
        asked++;
        return 1;
}

static int say_no(struct front *who, const struct checkout_tree *tree, bool changed, struct error **err)
{
        return error_set(err, ERROR_CONFIG, "no");
}

static void a_front_that_can_ask_is_asked(void **state)
{
        _cleanup_(target_clear) struct target yes = TARGET_INIT;
        _cleanup_(target_clear) struct target no = TARGET_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) _unused_ char *checkout = make_checkout("name = 'blog'\nrepos = []\n");

        asked = 0;
        front.ask_trust = say_yes;
        assert_int_equal(target_named(&front, NULL, &yes, NULL), 0);
        assert_int_equal(asked, 1);
        assert_string_equal(yes.name, "blog");
        front.ask_trust = say_no;
        assert_int_equal(target_named(&front, NULL, &no, &err), -1);
        assert_string_equal(err->message, "no");
}

static void one_that_is_trusted_counts_until_it_changes(void **state)
{
        _cleanup_(target_clear) struct target before = TARGET_INIT;
        _cleanup_(target_clear) struct target after = TARGET_INIT;
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) _unused_ char *checkout = make_checkout("name = 'blog'\nrepos = []\n");
        _cleanup_(freep) char *file = path_join(checkout, CHECKOUT_FILE);

        assert_int_equal(checkout_tree_read(checkout, &tree, NULL), 0);
        checkout_tree_content(&tree, &content);
        assert_int_equal(trust_give(file, content.buf, content.len, NULL), 0);
        assert_int_equal(target_wanted(&front, NULL, &before, NULL), 0);
        assert_string_equal(before.project.checkout, checkout);
        scratch_write(file, "name = 'blog'\nrepos = []\ncpus = 2\n");
        assert_int_equal(target_named(&front, NULL, &after, &err), -1);
        assert_non_null(strstr(err->message, "changed since it was trusted"));
}

static void expect_unwanted(const char *name, const char *message, const char *hint)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(target_wanted(&front, name, &target, &err), -1);
        assert_int_equal(err->kind, ERROR_NOT_FOUND);
        assert_string_equal(err->message, message);
        assert_string_equal(err->hint, hint);
}

/* Nobody is sent to projects.toml for what a .machine.toml says. */
static void the_vm_of_a_checkout_that_has_another_name_by_now_is_led_there(void **state)
{
        _cleanup_(freep) char *checkout = make_checkout("name = 'blog'\nrepos = []\n");
        _cleanup_(freep) char *file = path_join(checkout, CHECKOUT_FILE);
        _cleanup_(freep) char *renamed = xasprintf("VM 'old' was made from '%s', which names the project 'blog' now", file);
        _cleanup_(freep) char *gone = xasprintf("VM 'old' was made from '%s', which is gone", file);

        front.ask_trust = say_yes;
        fixture_vm("old", checkout, INTENT_NONE);
        expect_unwanted("old", renamed, "machine rename old blog");
        fixture_vm("blog", checkout, INTENT_NONE);
        expect_unwanted("old", renamed, "VM 'blog' is that project's; if this one isn't needed any more: machine destroy old");
        assert_int_equal(unlink(file), 0);
        expect_unwanted("old", gone, "put it back; or, if the VM isn't needed any more: machine destroy old");
}

/* The command is one that works from where it is typed. */
static void a_checkout_elsewhere_is_named_in_what_trusts_it(void **state)
{
        _cleanup_(freep) char *checkout = make_checkout("");
        _cleanup_(freep) char *here = checkout_trust_command(checkout);
        _cleanup_(freep) char *wanted = xasprintf("machine trust --yes %s", checkout);
        _cleanup_(freep) char *elsewhere = NULL;

        assert_string_equal(here, "machine trust --yes");
        assert_int_equal(chdir("/"), 0);
        elsewhere = checkout_trust_command(checkout);
        assert_string_equal(elsewhere, wanted);
}

#define TEST_THERE(function) cmocka_unit_test_setup_teardown(function, fixture_setup, leave)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST_THERE(without_a_name_and_a_checkout_it_is_the_default_one),
                TEST_THERE(a_name_is_a_table_of_projects_toml),
                TEST_THERE(an_engine_of_the_table_can_be_named_and_no_other),
                TEST_THERE(a_name_that_is_nothings_is_an_error_with_a_near_one),
                TEST_THERE(a_vm_that_outlived_its_project_is_found_but_not_wanted),
                TEST_THERE(a_checkout_that_nobody_trusts_is_an_error),
                TEST_THERE(a_front_that_can_ask_is_asked),
                TEST_THERE(one_that_is_trusted_counts_until_it_changes),
                TEST_THERE(the_vm_of_a_checkout_that_has_another_name_by_now_is_led_there),
                TEST_THERE(a_checkout_elsewhere_is_named_in_what_trusts_it),
        };

        return cmocka_run_group_tests_name("operation/target", tests, NULL, NULL);
}
