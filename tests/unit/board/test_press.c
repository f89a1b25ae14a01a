/* What keys do: which command runs on which VM, and what only moves or asks. */
#include "seen.h"

#include "board/press.h"

/* Presses a key after the other. Returns the last one's command, "-" for none. Owned by the caller. */
static char *pressed(struct board *board, const char *keys)
{
        struct board_action action = BOARD_ACTION_INIT;
        char *said = xstrdup("-");

        for (; *keys; keys++) {
                board_press(board, *keys, &action);
                set_string(&said, action.act == ACT_RUN ? strv_join(&action.argv, " ") : xstrdup("-"));
        }
        board_action_clear(&action);
        return said;
}

static void assert_press(struct board *board, const char *keys, const char *wanted)
{
        _cleanup_(freep) char *said = pressed(board, keys);

        assert_string_equal(said, wanted);
}

static enum board_act act_of(struct board *board, int key)
{
        struct board_action action = BOARD_ACTION_INIT;
        enum board_act act;

        board_press(board, key, &action);
        act = action.act;
        board_action_clear(&action);
        return act;
}

static void a_key_runs_its_command_on_the_selected_vm(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        seen_board(&board, "blog shop");
        assert_press(&board, "\r", "ssh blog");
        assert_press(&board, "j\r", "ssh shop");
        assert_press(&board, "ks", "up blog");
        assert_press(&board, "p", "park blog");
        assert_press(&board, "l", "logs blog --follow");
        assert_press(&board, "e", "egress blog");
        assert_press(&board, "i", "status blog");
}

static void park_wakes_what_is_parked_and_says_when_there_is_nothing_to_park(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        struct board_sample sample = BOARD_SAMPLE_INIT;

        seen_add(&sample, "blog", "parked");
        seen_add(&sample, "shop", "stopped");
        board_update(&board, &sample);
        assert_press(&board, "p", "wake blog");
        assert_press(&board, "jp", "-");
        assert_string_equal(board.message, "VM 'shop' doesn't run");
        assert_press(&board, "l", "logs shop");
}

static void what_takes_something_away_asks_and_only_a_yes_is_one(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        seen_board(&board, "blog");
        assert_press(&board, "d", "-");
        assert_press(&board, "y", "down blog");
        assert_press(&board, "dn", "-");
        assert_press(&board, "d\r", "-");
        assert_press(&board, "uY", "undo blog");
        assert_press(&board, "uq", "-");
        assert_int_equal(board.prompt, PROMPT_NONE);
}

/* Somebody types while the list changes: the answer is for the VM that was asked about. */
static void an_answer_is_for_the_vm_that_was_asked_about(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        seen_board(&board, "blog shop");
        board_set_filter(&board, "blog");
        assert_press(&board, "d", "-");
        board_set_filter(&board, "shop");
        assert_string_equal(board_selected(&board)->name, "shop");
        assert_press(&board, "y", "down blog");
}

static void a_question_about_a_vm_that_is_gone_is_withdrawn(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        seen_board(&board, "blog shop");
        assert_press(&board, "d", "-");
        seen_board(&board, "shop");
        assert_int_equal(board.prompt, PROMPT_NONE);
        assert_press(&board, "y", "-");
}

static void a_name_a_port_and_an_agent_are_typed(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        struct board_sample sample = BOARD_SAMPLE_INIT;

        seen_add(&sample, "blog", "running")->ports = xstrdup("8080:80 3000");
        board_update(&board, &sample);
        assert_press(&board, "f\r", "-");
        assert_press(&board,
                     "ftry-x\x7f"
                     "1\r",
                     "fork blog try-1");
        assert_press(&board, "o\r", "open blog 80");
        assert_press(&board,
                     "o\x15"
                     "9000\r",
                     "open blog 9000");
        assert_press(&board, "a\r", "agent blog claude");
        assert_press(&board,
                     "a\x15"
                     "codex\r",
                     "agent blog codex");
        assert_press(&board, "a\r", "agent blog codex");
        assert_press(&board, "fq\x1b", "-");
        assert_int_equal(board.prompt, PROMPT_NONE);
}

static void the_filter_holds_from_the_first_letter_and_escape_lists_all(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        seen_board(&board, "blog docs shop");
        assert_press(&board, "/o", "-");
        assert_int_equal(board.count, 3);
        assert_press(&board, "p", "-");
        assert_int_equal(board.count, 1);
        assert_press(&board, "\r\r", "ssh shop");
        assert_press(&board, "\x1b", "-");
        assert_int_equal(board.count, 3);
        assert_press(&board, "/blog\x1b", "-");
        assert_int_equal(board.count, 3);
}

static void in_the_help_keys_do_nothing_else(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        seen_board(&board, "blog");
        assert_press(&board, "?", "-");
        assert_true(board.help);
        assert_press(&board, "p", "-");
        assert_false(board.help);
        assert_press(&board, "p", "park blog");
}

static void without_a_vm_only_the_keys_of_the_board_do_something(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        for (const struct board_binding *binding = board_bindings; binding->press; binding++)
                if (binding->needs_vm) {
                        assert_int_equal(act_of(&board, binding->key), ACT_NONE);
                        assert_int_equal(board.prompt, PROMPT_NONE);
                }
        assert_int_equal(act_of(&board, 'q'), ACT_QUIT);
        assert_int_equal(act_of(&board, 'C' & 0x1f), ACT_QUIT);
        assert_int_equal(act_of(&board, 'Z' & 0x1f), ACT_SUSPEND);
        assert_int_equal(act_of(&board, 'L' & 0x1f), ACT_REPAINT);
}

static void no_key_is_in_the_table_twice(void **state)
{
        for (const struct board_binding *a = board_bindings; a->press; a++)
                for (const struct board_binding *b = a + 1; b->press; b++) {
                        assert_int_not_equal(a->key, b->key);
                        assert_true(!a->other || (a->other != b->key && a->other != b->other));
                        assert_true(!b->other || b->other != a->key);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_runs_its_command_on_the_selected_vm),
                cmocka_unit_test(park_wakes_what_is_parked_and_says_when_there_is_nothing_to_park),
                cmocka_unit_test(what_takes_something_away_asks_and_only_a_yes_is_one),
                cmocka_unit_test(an_answer_is_for_the_vm_that_was_asked_about),
                cmocka_unit_test(a_question_about_a_vm_that_is_gone_is_withdrawn),
                cmocka_unit_test(a_name_a_port_and_an_agent_are_typed),
                cmocka_unit_test(the_filter_holds_from_the_first_letter_and_escape_lists_all),
                cmocka_unit_test(in_the_help_keys_do_nothing_else),
                cmocka_unit_test(without_a_vm_only_the_keys_of_the_board_do_something),
                cmocka_unit_test(no_key_is_in_the_table_twice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
