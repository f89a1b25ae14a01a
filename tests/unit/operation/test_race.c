/* Which VMs are forks of a race, and what is known of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "lib/file.h"
#include "lib/json.h"
#include "operation/race.h"
#include "show/race.h"

/* A VM that says that it is a fork of `of` (NULL = of none). */
static void make_fork(const char *name, const char *of, bool race, const struct race_fork *known)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        fixture_vm(name, NULL, INTENT_NONE);
        assert_int_equal(vm_open(&vm, name, NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        set_string(&vm.record.fork_of, xstrdup(of));
        vm.record.race = race;
        assert_int_equal(vm_save(&vm, NULL), 0);
        if (known)
                assert_int_equal(race_write(vm.folder, known, NULL), 0);
}

static void names_have_the_number(void **state)
{
        _cleanup_(freep) char *name = race_fork_name("blog", 12);

        assert_string_equal(name, "blog-race-12");
        assert_int_equal(race_number_of("blog", name), 12);
        assert_int_equal(race_number_of("blog", "blog-race-0"), 0);
        assert_int_equal(race_number_of("blog", "blog-race-17"), 0);
        assert_int_equal(race_number_of("blog", "blog-race-1x"), 0);
        assert_int_equal(race_number_of("blog", "blog-2"), 0);
        assert_int_equal(race_number_of("blog", "shop-race-1"), 0);
}

static void only_forks_of_a_race_of_this_vm_are_found_by_their_numbers(void **state)
{
        _cleanup_(race_clear) struct race race = RACE_INIT;

        fixture_projects("[blog]\n[shop]\n");
        make_fork("blog-race-10", "blog", true, NULL);
        make_fork("blog-race-2", "blog", true, NULL);
        make_fork("blog-race-3", "blog", false, NULL); /* kept */
        make_fork("blog-race-4", "shop", true, NULL);  /* of a VM that had the name before */
        make_fork("blog-race-5", NULL, false, NULL);   /* a VM that is called so */
        make_fork("blog-2", "blog", false, NULL);
        assert_int_equal(race_find("blog", &race, NULL), 0);
        assert_int_equal(race.count, 2);
        assert_string_equal(race.items[0].name, "blog-race-2");
        assert_string_equal(race.items[1].name, "blog-race-10");
        /* Nothing is known of a run that was killed before it wrote anything. */
        assert_false(race.items[0].command.known || race.items[0].compared);
        assert_int_equal(race.items[0].took_ms, -1);
}

static void what_was_written_is_read_again(void **state)
{
        const struct race_fork known = { .number = 1,
                                         .name = (char *)"blog-race-1",
                                         .branch = (char *)"try-1",
                                         .tree = (char *)"abc",
                                         .log = (char *)"/log",
                                         .command = { true, 3 },
                                         .compared = true,
                                         .diff = { 4, 50, 6 },
                                         .took_ms = 1500 };
        _cleanup_(race_clear) struct race race = RACE_INIT;
        _cleanup_(json_decrefp) json_t *shown = NULL;
        _cleanup_(freep) char *text = NULL;

        make_fork("blog-race-1", "blog", true, &known);
        assert_int_equal(race_find("blog", &race, NULL), 0);
        shown = show_race(&race);
        text = json_text(shown);
        assert_string_equal(text, "[{\"name\":\"blog-race-1\",\"number\":1,\"branch\":\"try-1\",\"exit\":3,\"test\":null,"
                                  "\"files\":4,\"added\":50,\"removed\":6,\"seconds\":1.5,\"log\":\"/log\",\"reason\":null}]");
        assert_string_equal(race.items[0].tree, "abc");
}

static void a_branch_that_is_no_text_is_not_written(void **state)
{
        const struct race_fork known = { .name = (char *)"x", .branch = (char *)"\xff" };
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(race_write("/nonexistent", &known, &error), -1);
        assert_string_equal(error->message, "what is known of 'x' is not UTF-8");
}

static void a_file_that_is_damaged_is_a_run_of_which_nothing_is_known(void **state)
{
        _cleanup_(race_clear) struct race race = RACE_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *path = NULL;

        make_fork("blog-race-1", "blog", true, NULL);
        assert_int_equal(vm_open(&vm, "blog-race-1", NULL), 0);
        path = path_join(vm.folder, RACE_FILE);
        assert_int_equal(file_write_text(path, "{\"command\": 4000, \"test\": \"0\", \"compared\": true, \"files\": 1", 0600,
                                         NULL),
                         0);
        assert_int_equal(race_find("blog", &race, NULL), 0);
        assert_false(race.items[0].command.known || race.items[0].test.known || race.items[0].compared);
        race_clear(&race);
        assert_int_equal(file_write_text(path, "{\"command\": 4000, \"test\": \"0\", \"compared\": true, \"files\": 1}", 0600,
                                         NULL),
                         0);
        assert_int_equal(race_find("blog", &race, NULL), 0);
        assert_false(race.items[0].command.known || race.items[0].test.known || race.items[0].compared);
}

static void a_fork_is_named_by_name_number_or_branch(void **state)
{
        struct race_fork forks[] = { { .number = 2, .name = (char *)"blog-race-2", .branch = (char *)"race-2" },
                                     { .number = 3, .name = (char *)"blog-race-3" } };
        const struct race race = { .name = (char *)"blog", .items = forks, .count = 2 };
        _cleanup_(error_freep) struct error *error = NULL;

        assert_ptr_equal(race_choose(&race, "3", NULL), &forks[1]);
        assert_ptr_equal(race_choose(&race, "race-2", NULL), &forks[0]);
        assert_ptr_equal(race_choose(&race, "blog-race-3", NULL), &forks[1]);
        assert_null(race_choose(&race, "1", &error));
        assert_int_equal(error->kind, ERROR_NOT_FOUND);
        assert_string_equal(error->hint, "there are: blog-race-2 and blog-race-3");
}

static void a_fork_passes_with_its_command_and_its_test(void **state)
{
        struct race_fork fork = { .command = { true, 0 } };
        const struct race race = { .items = &fork, .count = 1 };

        assert_true(race_passed(&fork, false) && !race_passed(&fork, true) && race_any_passed(&race, false));
        fork.test = (struct race_end){ true, 1 };
        assert_false(race_passed(&fork, true) || race_any_passed(&race, true));
        fork.test.status = 0;
        assert_true(race_passed(&fork, true));
        fork.command.status = 1;
        assert_false(race_passed(&fork, true) || race_passed(&fork, false));
        fork.command.known = false;
        assert_false(race_passed(&fork, false));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(names_have_the_number),
                TEST(only_forks_of_a_race_of_this_vm_are_found_by_their_numbers),
                TEST(what_was_written_is_read_again),
                TEST(a_branch_that_is_no_text_is_not_written),
                TEST(a_file_that_is_damaged_is_a_run_of_which_nothing_is_known),
                TEST(a_fork_is_named_by_name_number_or_branch),
                TEST(a_fork_passes_with_its_command_and_its_test),
        };

        return cmocka_run_group_tests_name("operation/race", tests, NULL, NULL);
}
