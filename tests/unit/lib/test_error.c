/* Errors are built, wrapped, handed up and printed once. */
#include "check.h"

#include <errno.h>

static void every_function_returns_minus_one(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(error_set(&err, ERROR_FAILED, "a"), -1);
        errno = EACCES;
        assert_int_equal(error_errno(&err, ERROR_FAILED, "b"), -1);
        assert_int_equal(error_at(&err, "f", 1, 2, "c"), -1);
        assert_int_equal(error_wrap(&err, "d"), -1);
        assert_int_equal(error_hint(&err, "e"), -1);
        assert_int_equal(error_set_kind(&err, ERROR_WORK), -1);
}

static void nobody_has_to_listen(void **state)
{
        assert_int_equal(error_set(NULL, ERROR_FAILED, "%s", "a"), -1);
        errno = EACCES;
        assert_int_equal(error_errno(NULL, ERROR_FAILED, "b"), -1);
        assert_int_equal(error_at(NULL, "f", 1, 2, "c"), -1);
        assert_int_equal(error_wrap(NULL, "d"), -1);
        assert_int_equal(error_hint(NULL, "e"), -1);
        assert_int_equal(error_hint_else(NULL, "e"), -1);
        assert_int_equal(error_set_kind(NULL, ERROR_WORK), -1);
        error_append(NULL, NULL);
        error_free(NULL);
}

static void a_new_error_takes_the_place_of_the_old_one(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        error_set(&err, ERROR_ENGINE, "the first");
        error_hint(&err, "machine doctor");
        error_set(&err, ERROR_USAGE, "not '%s'", err->message);
        assert_error(err, ERROR_USAGE, "not 'the first'");
        assert_null(err->hint);
        assert_null(err->cause);
}

static void what_passes_is_said_once_with_the_command(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        error_set(&err, ERROR_ENGINE, "no answer");
        assert_int_equal(error_passes(&err, "a quiet computer is quicker"), -1);
        error_hint(&err, "less 'x'");
        error_wrap(&err, "cannot start");
        assert_int_equal(error_again(&err, "machine up blog"), -1);
        error_again(&err, "machine up blog");
        assert_string_equal(err->hint, "less 'x'; or run it again: machine up blog goes on from where it stopped, and a quiet "
                                       "computer is quicker");
        assert_error(err, ERROR_ENGINE, "cannot start: no answer");
}

static void the_first_hint_stays_where_another_is_only_second_best(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        error_set(&err, ERROR_ENGINE, "no answer");
        assert_int_equal(error_hint_else(&err, "machine down %s", "blog"), -1);
        assert_string_equal(err->hint, "machine down blog");
        assert_int_equal(error_hint_else(&err, "machine doctor"), -1);
        assert_string_equal(err->hint, "machine down blog");
}

static void each_error_has_its_own_reason_to_pass(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        struct error *other = NULL;

        error_set(&err, ERROR_STEP, "a");
        error_hint(&err, "ssh-add");
        error_set(&other, ERROR_STEP, "b");
        error_passes(&other, "it may hold");
        error_append(&err, other);
        error_again(&err, "machine up");
        assert_string_equal(err->hint, "ssh-add");
        assert_string_equal(err->next->hint, "run it again: machine up goes on from where it stopped, and it may hold");
        assert_int_equal(error_passes(NULL, "x"), -1);
        assert_int_equal(error_again(NULL, "x"), -1);
}

static void the_reason_of_errno_stands_behind(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        errno = ENOENT;
        error_errno(&err, ERROR_NOT_FOUND, "cannot open '%s'", "vm.json");
        assert_error(err, ERROR_NOT_FOUND, "cannot open 'vm.json': No such file or directory");
        assert_int_equal(errno, ENOENT);
}

static void a_place_is_kept_with_its_file(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        char file[] = "projects.toml";

        error_at(&err, file, 12, 3, "unknown key '%s'", "cpu");
        file[0] = 'X';
        assert_error(err, ERROR_CONFIG, "unknown key 'cpu'");
        assert_string_equal(err->file, "projects.toml");
        assert_int_equal(err->line, 12);
        assert_int_equal(err->column, 3);
        /* The new error is made from the old one's file and message, which error_at() frees. */
        error_at(&err, err->file, err->line + 1, 0, "%s again", err->message);
        assert_error(err, ERROR_CONFIG, "unknown key 'cpu' again");
        assert_string_equal(err->file, "projects.toml");
        assert_int_equal(err->line, 13);
}

static void wrapping_moves_hint_place_and_further_errors_up(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        struct error *more = NULL;

        error_at(&err, "projects.toml", 2, 1, "no such profile");
        error_hint(&err, "machine init");
        error_set(&more, ERROR_CONFIG, "another");
        error_append(&err, more);
        error_wrap(&err, "cannot read project '%s'", "blog");
        assert_error(err, ERROR_CONFIG, "cannot read project 'blog': no such profile");
        assert_string_equal(err->hint, "machine init");
        assert_string_equal(err->file, "projects.toml");
        assert_int_equal(err->line, 2);
        assert_int_equal(err->column, 1);
        assert_ptr_equal(err->next, more);
        assert_null(err->cause->hint);
        assert_null(err->cause->file);
        assert_null(err->cause->next);
        error_wrap(&err, "cannot start");
        assert_error(err, ERROR_CONFIG, "cannot start: cannot read project 'blog': no such profile");
        assert_string_equal(err->hint, "machine init");
}

static void the_kind_goes_up_until_it_is_changed(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        error_set(&err, ERROR_STEP, "inside");
        error_wrap(&err, "outside");
        assert_int_equal(err->kind, ERROR_STEP);
        error_set_kind(&err, ERROR_ENGINE);
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_int_equal(error_exit_status(err), 5);
}

static void wrapping_nothing_makes_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        error_wrap(&err, "cannot do '%s'", "it");
        assert_error(err, ERROR_FAILED, "cannot do 'it'");
        assert_null(err->cause);
}

static void a_hint_replaces_the_one_before(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        error_hint(&err, "nothing to be hinted at");
        error_set_kind(&err, ERROR_USAGE);
        assert_null(err);
        error_set(&err, ERROR_FAILED, "a");
        error_hint(&err, "machine %s", "doctor");
        error_hint(&err, "%s --force", err->hint);
        assert_string_equal(err->hint, "machine doctor --force");
}

static void further_errors_keep_their_order(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        const char *const messages[] = { "one", "two", "three" };
        const struct error *at;

        for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
                struct error *more = NULL;

                error_set(&more, ERROR_CONFIG, "%s", messages[i]);
                error_append(&err, more);
        }
        error_append(&err, NULL);
        at = err;
        for (size_t i = 0; i < ARRAY_SIZE(messages); i++, at = at->next)
                assert_string_equal(at->message, messages[i]);
        assert_null(at);
        assert_error(err, ERROR_CONFIG, "one");
}

static void what_is_appended_for_nobody_is_freed(void **state)
{
        struct error *more = NULL;

        error_set(&more, ERROR_FAILED, "nobody reads this");
        error_append(NULL, more); /* the leak checker notices if it isn't freed */
}

static void kinds_have_their_exit_status_and_name(void **state)
{
        static const struct {
                enum error_kind kind;
                int exit_status;
                const char *name;
        } table[] = {
                { ERROR_FAILED, 1, "failed" }, { ERROR_USAGE, 2, "usage" },
                { ERROR_CONFIG, 3, "config" }, { ERROR_NOT_FOUND, 4, "not-found" },
                { ERROR_ENGINE, 5, "engine" }, { ERROR_STEP, 6, "step" },
                { ERROR_WORK, 7, "work" },     { ERROR_INTERRUPTED, 130, "interrupted" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(error_freep) struct error *err = NULL;

                error_set(&err, table[i].kind, "it");
                assert_int_equal(error_exit_status(err), table[i].exit_status);
                assert_string_equal(error_kind_name(err->kind), table[i].name);
        }
        assert_int_equal(error_exit_status(NULL), 0);
}

static void control_characters_in_a_text_are_visible(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        error_set(&err, ERROR_STEP, "the guest said '\x1b[2J'");
        error_wrap(&err, "line\nbreak");
        assert_error(err, ERROR_STEP, "line\\x0abreak: the guest said '\\x1b[2J'");
}

static void a_full_disk_is_known_by_its_cause(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        errno = ENOSPC;
        error_errno(&err, ERROR_FAILED, "cannot write 'a'");
        error_wrap(&err, "cannot save 'b'");
        assert_true(error_is_no_room(err));
        errno = EDQUOT;
        error_errno(&err, ERROR_FAILED, "cannot write 'a'");
        assert_true(error_is_no_room(err));
        errno = EACCES;
        error_errno(&err, ERROR_FAILED, "cannot write 'a'");
        assert_false(error_is_no_room(err));
        error_set(&err, ERROR_FAILED, "No space left on device");
        assert_false(error_is_no_room(err));
        assert_false(error_is_no_room(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_function_returns_minus_one),
                cmocka_unit_test(nobody_has_to_listen),
                cmocka_unit_test(a_new_error_takes_the_place_of_the_old_one),
                cmocka_unit_test(what_passes_is_said_once_with_the_command),
                cmocka_unit_test(the_first_hint_stays_where_another_is_only_second_best),
                cmocka_unit_test(each_error_has_its_own_reason_to_pass),
                cmocka_unit_test(the_reason_of_errno_stands_behind),
                cmocka_unit_test(a_place_is_kept_with_its_file),
                cmocka_unit_test(wrapping_moves_hint_place_and_further_errors_up),
                cmocka_unit_test(the_kind_goes_up_until_it_is_changed),
                cmocka_unit_test(wrapping_nothing_makes_an_error),
                cmocka_unit_test(a_hint_replaces_the_one_before),
                cmocka_unit_test(further_errors_keep_their_order),
                cmocka_unit_test(what_is_appended_for_nobody_is_freed),
                cmocka_unit_test(kinds_have_their_exit_status_and_name),
                cmocka_unit_test(control_characters_in_a_text_are_visible),
                cmocka_unit_test(a_full_disk_is_known_by_its_cause),
        };

        return cmocka_run_group_tests_name("lib/error", tests, NULL, NULL);
}
