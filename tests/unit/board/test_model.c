/* Which VMs are listed, in which order, and which one is selected. */
#include "seen.h"

static void assert_rows(const struct board *board, const char *wanted)
{
        _cleanup_(freep) char *rows = seen_rows(board);

        assert_string_equal(rows, wanted);
}

static void the_selected_vm_stays_selected_when_others_come_and_go(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        seen_board(&board, "blog docs shop");
        board_move(&board, 1);
        assert_rows(&board, "blog *docs shop");
        seen_board(&board, "api blog docs");
        assert_rows(&board, "api blog *docs");
        assert_null(board.message);
}

static void when_it_is_gone_the_one_in_its_place_is_selected_and_that_is_said(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        seen_board(&board, "blog docs shop");
        board_move(&board, 1);
        seen_board(&board, "blog shop");
        assert_rows(&board, "blog *shop");
        assert_string_equal(board.message, "'docs' is gone");
        seen_board(&board, "blog");
        assert_rows(&board, "*blog");
        seen_board(&board, "");
        assert_rows(&board, "");
        assert_null(board_selected(&board));
}

static void a_look_that_failed_leaves_what_was_seen_and_says_why(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        struct board_sample nothing = { .trouble = xstrdup("cannot list them") };

        seen_board(&board, "blog");
        board_update(&board, &nothing);
        assert_rows(&board, "*blog");
        assert_string_equal(board.message, "cannot list them");
        assert_true(board.failed);
}

static void moving_ends_at_the_first_and_the_last(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        board_move(&board, 1);
        board_move(&board, -1);
        assert_int_equal(board.selected, 0);
        seen_board(&board, "blog docs shop");
        board_move(&board, 100);
        assert_rows(&board, "blog docs *shop");
        board_move(&board, -100);
        assert_rows(&board, "*blog docs shop");
}

static void a_filter_looks_at_name_state_profiles_and_repos(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        struct board_sample sample = BOARD_SAMPLE_INIT;

        seen_add(&sample, "blog", "running");
        seen_add(&sample, "docs", "stopped")->profiles = xstrdup("python,rust");
        seen_add(&sample, "shop", "stopped")->repos = xstrdup("https://example.org/blog.git");
        board_update(&board, &sample);
        board_set_filter(&board, "BLOG");
        assert_rows(&board, "*blog shop");
        board_set_filter(&board, "stopp");
        assert_rows(&board, "*docs shop");
        board_set_filter(&board, "rust");
        assert_rows(&board, "*docs");
        board_set_filter(&board, "none of them");
        assert_rows(&board, "");
        board_set_filter(&board, "");
        assert_rows(&board, "*blog docs shop");
}

static void the_order_goes_by_a_column_and_then_by_name(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        struct board_sample sample = BOARD_SAMPLE_INIT;

        seen_add(&sample, "a", "stopped");
        seen_add(&sample, "b", "running")->percent = 5;
        seen_add(&sample, "c", "paused")->percent = 200;
        seen_add(&sample, "d", "running")->refused = 1;
        seen_add(&sample, "e", "parked")->disk_used = 1;
        board_update(&board, &sample);
        board_set_order(&board, ORDER_STATE);
        assert_rows(&board, "c b d e *a");
        board_set_order(&board, ORDER_CPU);
        assert_rows(&board, "c b *a d e");
        board_set_order(&board, ORDER_DISK);
        assert_rows(&board, "e *a b c d");
        board_set_order(&board, ORDER_REFUSED);
        assert_rows(&board, "d *a b c e");
}

static void the_next_needy_one_is_looked_for_from_the_selected_one_on(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        struct board_sample sample = BOARD_SAMPLE_INIT;

        assert_false(board_next_needy(&board));
        seen_add(&sample, "a", "paused");
        seen_add(&sample, "b", "running");
        seen_add(&sample, "c", "paused");
        board_update(&board, &sample);
        assert_true(board_next_needy(&board));
        assert_rows(&board, "a b *c");
        assert_true(board_next_needy(&board));
        assert_rows(&board, "*a b c");
        board_set_filter(&board, "b");
        assert_false(board_next_needy(&board));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_selected_vm_stays_selected_when_others_come_and_go),
                cmocka_unit_test(when_it_is_gone_the_one_in_its_place_is_selected_and_that_is_said),
                cmocka_unit_test(a_look_that_failed_leaves_what_was_seen_and_says_why),
                cmocka_unit_test(moving_ends_at_the_first_and_the_last),
                cmocka_unit_test(a_filter_looks_at_name_state_profiles_and_repos),
                cmocka_unit_test(the_order_goes_by_a_column_and_then_by_name),
                cmocka_unit_test(the_next_needy_one_is_looked_for_from_the_selected_one_on),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
