/* The board as text, in the sizes that terminals have. */
#include "seen.h"

#include <locale.h>

#include "board/paint.h"
#include "board/press.h"
#include "term/width.h"

/* A few VMs in different states. */
static void see_some(struct board *board)
{
        struct board_sample sample = BOARD_SAMPLE_INIT;
        struct board_vm *vm;

        vm = seen_add(&sample, "blog", "running");
        vm->percent = 3;
        vm->memory_used = 512LL << 20;
        vm->disk_used = 1288490189;
        vm->ports = xstrdup("3000 8080:80");
        vm->refused = 2;
        vm->profiles = xstrdup("python");
        vm->repos = xstrdup("https://example.org/jane/blog.git");
        vm->ssh = xstrdup("machine-blog");
        vm = seen_add(&sample, "docs", "paused");
        vm->reason = xstrdup("the host's disk is full (/home)");
        vm->hint = xstrdup("make room there");
        vm->memory_used = 1LL << 30;
        vm = seen_add(&sample, "shop", "parked");
        vm->disk_used = 900LL << 20;
        seen_add(&sample, "wiki", "absent")->exists = false;
        board_update(board, &sample);
}

/* The whole screen. Owned by the caller. */
static char *painted(struct board *board, size_t width, size_t height)
{
        _cleanup_(canvas_clear) struct canvas canvas = CANVAS_INIT;
        _cleanup_(strv_clear) struct strv lines = STRV_INIT;

        canvas_begin(&canvas, width, height, true);
        board_paint(board, &canvas);
        for (size_t row = 0; row < height; row++) {
                strv_take(&lines, canvas_text(&canvas, row));
                assert_true(width_of(lines.items[row]) <= width);
        }
        return strv_join(&lines, "\n");
}

static void in_80_columns_all_that_matters_is_there(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        _cleanup_(freep) char *text = NULL;

        see_some(&board);
        text = painted(&board, 80, 16);
        assert_string_equal(text, "machine  3 VMs, 2 running, 1 parked; 1 project without a VM  1 needs you (w)\n"
                                  "  NAME*  STATE     CPU       MEMORY          DISK  REFUSED  PORTS\n"
                                  "> blog   running    3%  0.5/2.0 GiB  1.2/30.0 GiB        2  3000 8080:80\n"
                                  " !docs   paused      -  1.0/2.0 GiB    -/30.0 GiB        -  -\n"
                                  "  shop   parked      -    -/2.0 GiB  0.9/30.0 GiB        -  -\n"
                                  "  wiki   absent      -            -             -        -  -\n"
                                  "\n\n\n\n\n"
                                  "── blog: running ───────────────────────────────────────────────────────────────\n"
                                  "  refused   2 different connections and names; e shows them\n"
                                  "  repos     https://example.org/jane/blog.git\n"
                                  "\n"
                                  "Enter:shell  a:agent  s:start  p:park  d:stop  f:fork  u:undo  ?:help  q:quit");
}

static void what_keeps_a_vm_is_said_below(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        _cleanup_(freep) char *text = NULL;

        see_some(&board);
        assert_true(board_next_needy(&board));
        text = painted(&board, 80, 24);
        assert_non_null(strstr(text, "\n>!docs   paused "));
        assert_non_null(strstr(text, "── docs: paused ─"));
        assert_non_null(strstr(text, "\n  why       the host's disk is full (/home)\n  way out   make room there\n"));
}

static void a_wider_screen_has_more_columns(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        _cleanup_(freep) char *narrow = NULL, *middle = NULL, *wide = NULL;

        see_some(&board);
        narrow = painted(&board, 60, 24);
        middle = painted(&board, 120, 35);
        wide = painted(&board, 200, 60);
        assert_null(strstr(narrow, "PORTS"));
        assert_non_null(strstr(narrow, "> blog   running    3%"));
        assert_non_null(strstr(middle, "PROFILES  REPOS\n"));
        assert_non_null(strstr(wide, " python    https://example.org/jane/blog.git\n"));
        assert_non_null(strstr(middle, "\n  ssh       machine-blog\n"));
}

static void a_column_that_would_say_nothing_is_not_there(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        struct board_sample sample = BOARD_SAMPLE_INIT;
        _cleanup_(freep) char *text = NULL;

        seen_board(&board, "blog shop");
        text = painted(&board, 200, 24);
        assert_non_null(strstr(text, "\n  NAME*  STATE       MEMORY        DISK\n"));
        set_string(&text, NULL);
        seen_add(&sample, "blog", "running");
        set_string(&seen_add(&sample, "shop", "running")->engine, xstrdup("two"));
        board_update(&board, &sample);
        text = painted(&board, 200, 24);
        assert_non_null(strstr(text, "DISK  ENGINE\n"));
}

static void the_selected_row_is_seen_wherever_it_is(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        _cleanup_(freep) char *last = NULL, *first = NULL;
        struct board_sample sample = BOARD_SAMPLE_INIT;

        for (unsigned i = 0; i < 50; i++) {
                _cleanup_(freep) char *name = xasprintf("vm-%02u", i);

                seen_add(&sample, name, "stopped");
        }
        board_update(&board, &sample);
        free(painted(&board, 80, 24));
        board_move(&board, 49);
        last = painted(&board, 80, 24);
        assert_non_null(strstr(last, "\n> vm-49 "));
        assert_null(strstr(last, "vm-00"));
        board_move(&board, -49);
        first = painted(&board, 80, 24);
        assert_non_null(strstr(first, "\n> vm-00 "));
        assert_null(strstr(first, "vm-49"));
}

static void names_that_would_drive_the_terminal_are_shown(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        struct board_sample sample = BOARD_SAMPLE_INIT;
        _cleanup_(freep) char *text = NULL;

        seen_add(&sample, "a\033[2Jb", "stopped")->repos = xstrdup("\033]0;title\a");
        board_update(&board, &sample);
        text = painted(&board, 80, 24);
        assert_null(strchr(text, '\033'));
        assert_null(strchr(text, '\a'));
        assert_non_null(strstr(text, "\n> a\\x1b[2Jb  stopped "));
        assert_non_null(strstr(text, "\n  repos     \\x1b]0;title\\x07\n"));
}

static void what_is_asked_stands_above_the_keys(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        struct board_action action = BOARD_ACTION_INIT;
        _cleanup_(freep) char *text = NULL;

        see_some(&board);
        board_press(&board, 'f', &action);
        board_press(&board, 'x', &action);
        text = painted(&board, 80, 24);
        assert_non_null(strstr(text, "\nname of the fork of 'blog': x\nEnter:shell "));
}

static void help_has_every_key_and_scrolls_where_it_must(void **state)
{
        _cleanup_(board_clear) struct board board = { .help = true };
        _cleanup_(freep) char *whole = painted(&board, 80, 24), *low = painted(&board, 80, 10), *end = NULL;

        for (const struct board_binding *binding = board_bindings; binding->press; binding++) {
                _cleanup_(freep) char *line = binding->keys ? xasprintf("\n  %-9s  %s\n", binding->keys, binding->does) : NULL;

                if (line && !strstr(whole, line))
                        fail_msg("not in the help, or cut: %s", line);
        }
        assert_null(strstr(low, "leave the board"));
        board.help_top = 100;
        end = painted(&board, 80, 10);
        assert_non_null(strstr(end, "leave the board"));
}

static void no_size_is_too_small(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;

        see_some(&board);
        for (size_t width = 1; width < 90; width += 4)
                for (size_t height = 1; height < 40; height++) {
                        board.help = false;
                        free(painted(&board, width, height));
                        board.help = true;
                        free(painted(&board, width, height));
                }
}

static void before_the_first_look_and_without_anything_the_board_says_so(void **state)
{
        _cleanup_(board_clear) struct board board = BOARD_INIT;
        _cleanup_(freep) char *before = painted(&board, 80, 24), *empty = NULL, *none = NULL;

        assert_non_null(strstr(before, "machine  looking\n"));
        seen_board(&board, "");
        empty = painted(&board, 80, 24);
        assert_non_null(strstr(empty, "no projects and no VMs yet: machine init"));
        seen_board(&board, "blog");
        board_set_filter(&board, "x");
        none = painted(&board, 80, 24);
        assert_non_null(strstr(none, "machine  0 of 1 with 'x'\n"));
        assert_non_null(strstr(none, "nothing has that in it; Esc lists all again"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(in_80_columns_all_that_matters_is_there),
                cmocka_unit_test(what_keeps_a_vm_is_said_below),
                cmocka_unit_test(a_wider_screen_has_more_columns),
                cmocka_unit_test(a_column_that_would_say_nothing_is_not_there),
                cmocka_unit_test(the_selected_row_is_seen_wherever_it_is),
                cmocka_unit_test(names_that_would_drive_the_terminal_are_shown),
                cmocka_unit_test(what_is_asked_stands_above_the_keys),
                cmocka_unit_test(help_has_every_key_and_scrolls_where_it_must),
                cmocka_unit_test(no_size_is_too_small),
                cmocka_unit_test(before_the_first_look_and_without_anything_the_board_says_so),
        };

        setlocale(LC_CTYPE, "C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
