/* A temporary folder ends with its maker. What a killed process left is removed by the next, and what is in use is left alone.
 */
#include "scratch.h"

#include "check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/nest.h"

static size_t count(const char *folder)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        assert_int_equal(file_list(folder, &names, NULL), 0);
        return names.count;
}

static void it_is_ours_alone_and_goes_with_all_in_it(void **state)
{
        struct nest nest = NEST_INIT;
        _cleanup_(freep) char *inner = NULL;

        assert_int_equal(nest_make(*state, "work.", &nest, NULL), 0);
        assert_int_equal(scratch_mode(nest.folder), 0700);
        inner = path_join(nest.folder, "a/b");
        assert_int_equal(file_make_folders(inner, 0700, NULL), 0);
        nest_clear(&nest);
        assert_int_equal(count(*state), 0);
}

static void one_that_is_used_is_left_alone(void **state)
{
        _cleanup_(nest_clear) struct nest one = NEST_INIT;
        _cleanup_(nest_clear) struct nest two = NEST_INIT;

        assert_int_equal(nest_make(*state, "work.", &one, NULL), 0);
        assert_int_equal(nest_make(*state, "work.", &two, NULL), 0);
        assert_string_not_equal(one.folder, two.folder);
        assert_int_equal(count(*state), 2);
}

static void what_a_killed_program_left_is_removed_by_the_next(void **state)
{
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0) {
                struct nest nest = NEST_INIT;

                (void)nest_make(*state, "work.", &nest, NULL);
                raise(SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(count(*state), 1);
        {
                _cleanup_(nest_clear) struct nest other = NEST_INIT;
                _cleanup_(nest_clear) struct nest next = NEST_INIT;

                assert_int_equal(nest_make(*state, "other.", &other, NULL), 0);
                assert_int_equal(count(*state), 2);
                assert_int_equal(nest_make(*state, "work.", &next, NULL), 0);
                assert_int_equal(count(*state), 2);
        }
        assert_int_equal(count(*state), 0);
}

static void what_is_not_a_folder_of_ours_is_left_alone(void **state)
{
        _cleanup_(nest_clear) struct nest nest = NEST_INIT;
        _cleanup_(freep) char *file = path_join(*state, "work.file");
        _cleanup_(freep) char *link = path_join(*state, "work.link");

        assert_int_equal(file_write_text(file, "kept", 0600, NULL), 0);
        assert_int_equal(symlink("/tmp", link), 0);
        assert_int_equal(nest_make(*state, "work.", &nest, NULL), 0);
        assert_int_equal(count(*state), 3);
}

static void a_folder_that_is_missing_is_an_error(void **state)
{
        struct nest nest = NEST_INIT;
        _cleanup_(freep) char *missing = path_join(*state, "missing");
        struct error *error = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(nest_make(missing, "work.", &nest, &error), -1);
        assert_null(nest.folder);
        text = error_text(error);
        assert_non_null(strstr(text, "cannot make a folder in"));
        error_free(error);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(it_is_ours_alone_and_goes_with_all_in_it),
                TEST(one_that_is_used_is_left_alone),
                TEST(what_a_killed_program_left_is_removed_by_the_next),
                TEST(what_is_not_a_folder_of_ours_is_left_alone),
                TEST(a_folder_that_is_missing_is_an_error),
        };

        return cmocka_run_group_tests_name("lib/nest", tests, NULL, NULL);
}
