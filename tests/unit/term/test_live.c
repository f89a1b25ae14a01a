/* The live tree, as a person sees it on a terminal (screen.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include "screen.h"
#include "term/output.h"

static void plain_environment(void)
{
        setenv("TERM", "xterm", 1);
        unsetenv("NO_COLOR");
        assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

/* Durations and the spinner's frame differ from run to run: "0.1 s" becomes "TIME", any frame becomes "*". Owned by the caller.
 */
static char *settled(char *text)
{
        static const char *const frames[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };
        _cleanup_(freep) char *owned = text;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        for (const char *c = owned; *c;) {
                size_t digits = strspn(c, "0123456789.");
                bool frame = false;

                for (size_t i = 0; i < ARRAY_SIZE(frames) && !frame; i++)
                        frame = starts_with(c, frames[i]);
                if (frame) {
                        strbuf_addc(&out, '*');
                        c += strlen(frames[0]);
                } else if (digits > 0 && starts_with(c + digits, " s")) {
                        strbuf_adds(&out, "TIME");
                        c += digits + 2;
                } else {
                        strbuf_addc(&out, *c++);
                }
        }
        return strbuf_take(&out);
}

static void assert_seen(struct screen *screen, const char *expected)
{
        _cleanup_(freep) char *seen = settled(screen_text(screen));

        /* A failure must go to the real stderr. */
        if (!streq(seen, expected))
                screen_free(screen);
        assert_string_equal(seen, expected);
}

static void a_step_that_ended_has_a_mark_and_its_time(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);

        event_begin(events, "base", "building the base image");
        assert_seen(screen, "* building the base image  TIME");
        event_end(events, "base", EVENT_DONE, NULL);
        event_begin(events, "repos", "bringing in the code");
        event_end(events, "repos", EVENT_SKIPPED, "nothing to clone");
        event_begin(events, "start", "starting VM 'blog'");
        event_end(events, "start", EVENT_FAILED, "QEMU ended");
        assert_seen(screen, "✓ building the base image  TIME\n"
                            "– bringing in the code  nothing to clone\n"
                            "✗ starting VM 'blog'  TIME  QEMU ended");
        assert_int_equal(screen_cursor_column(screen), 0);
        assert_int_equal(screen_cursor_row(screen), 3);
        output_free(output);
        screen_free(screen);
}

static void steps_inside_others_are_indented_below_them(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);

        event_begin(events, "create", "making VM 'blog'");
        event_begin(events, "base", "building the base image");
        event_end(events, "base", EVENT_DONE, NULL);
        event_begin(events, "disk", "making the disk");
        assert_seen(screen, "* making VM 'blog'  TIME\n"
                            "  ✓ building the base image  TIME\n"
                            "  * making the disk  TIME");
        event_end(events, "disk", EVENT_DONE, NULL);
        event_end(events, "create", EVENT_DONE, NULL);
        assert_seen(screen, "✓ making VM 'blog'  TIME\n"
                            "  ✓ building the base image  TIME\n"
                            "  ✓ making the disk  TIME");
        output_free(output);
        screen_free(screen);
}

static void the_running_step_shows_its_last_line_cut_to_the_width(void **state)
{
        struct screen *screen = screen_new(40, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);
        char *seen;

        event_begin(events, "base", "building");
        event_line(events, "Unpacking libglib2.0-0 (2.74.6-2) over nothing at all …");
        seen = screen_wait(screen, "Unpacking");
        assert_non_null(seen);
        assert_null(strchr(seen, '\n'));
        assert_true(ends_with(seen, "…"));
        free(seen);
        event_end(events, "base", EVENT_DONE, NULL);
        assert_seen(screen, "✓ building  TIME");
        output_free(output);
        screen_free(screen);
}

static void a_silent_step_still_ticks(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        char *seen;

        event_begin(output_sink(output), "base", "building");
        free(screen_wait(screen, "building  0.0 s"));
        seen = screen_wait_gone(screen, "building  0.0 s");
        assert_non_null(seen);
        assert_non_null(strstr(seen, "building  "));
        free(seen);
        output_free(output);
        screen_free(screen);
}

static void assert_comes(struct screen *screen, const char *text)
{
        _cleanup_(freep) char *seen = screen_wait(screen, text);

        assert_non_null(seen);
}

/* Shows a step that is so far, and returns what is then seen. Owned by the caller. */
static char *see_progress(unsigned short columns, int64_t done, int64_t whole)
{
        struct screen *screen = screen_new(columns, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        char *seen;

        event_begin(output_sink(output), "download", "downloading https://example.org/a/long/way/to/some/tool.tar.gz");
        event_progress(output_sink(output), done, whole);
        seen = settled(screen_wait(screen, "%"));
        output_free(output);
        screen_free(screen);
        return seen;
}

static void a_step_of_known_length_has_a_bar_that_a_long_text_makes_room_for(void **state)
{
        static const struct {
                unsigned short columns;
                int64_t done;
                const char *seen;
        } table[] = {
                { 80, 0, "* downloading https://example.org/a/long/way…  TIME  ────────────────────   0%" },
                { 80, 500, "* downloading https://example.org/a/long/way…  TIME  ━━━━━━━━━━──────────  50%" },
                { 80, 1000, "* downloading https://example.org/a/long/way…  TIME  ━━━━━━━━━━━━━━━━━━━━ 100%" },
                { 40, 500, "* downloading ht…  TIME  ━━━━────  50%" },
                { 40, 2000, "* downloading ht…  TIME  ━━━━━━━━ 100%" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *seen = see_progress(table[i].columns, table[i].done, 1000);

                assert_string_equal(seen, table[i].seen);
        }
}

static void a_step_that_took_long_the_last_time_says_so_while_it_runs(void **state)
{
        static const unsigned short widths[] = { 80, 40 };

        for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
                struct screen *screen = screen_new(widths[i], 24);
                struct output *output = output_new(OUTPUT_AUTO, false);

                event_begin_expecting(output_sink(output), "base", 240000, "building the base image of all");
                assert_comes(screen, widths[i] == 80 ? " building the base image of all  0:00 of about 4:00"
                                                     : " building the bas…  0:00 of about 4:00");
                event_end(output_sink(output), "base", EVENT_DONE, NULL);
                assert_seen(screen, "✓ building the base image of all  TIME");
                output_free(output);
                screen_free(screen);
        }
}

static void a_step_that_takes_longer_than_the_last_time_says_both(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);

        event_begin_expecting(output_sink(output), "base", 1, "building");
        assert_comes(screen, "(last time 0:00)");
        output_free(output);
        screen_free(screen);
}

static void a_word_of_its_own_stands_above_the_tree(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);

        event_begin(output_sink(output), "base", "building");
        output_say(output, "Stopping.");
        assert_seen(screen, "Stopping.\n* building  TIME");
        event_end(output_sink(output), "base", EVENT_STOPPED, NULL);
        assert_seen(screen, "Stopping.\n■ building  TIME  stopped");
        output_free(output);
        screen_free(screen);
}

static void a_failed_step_keeps_its_last_lines_on_the_screen(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);

        event_begin(events, "create", "making VM 'blog'");
        event_begin(events, "base", "building");
        event_line(events, "Reading package lists");
        event_line(events, "E: no \033[31msuch package");
        event_end(events, "base", EVENT_FAILED, NULL);
        event_end(events, "create", EVENT_FAILED, NULL);
        assert_seen(screen, "✗ making VM 'blog'  TIME\n"
                            "  ✗ building  TIME\n"
                            "    │ Reading package lists\n"
                            "    │ E: no \\x1b[31msuch package");
        output_free(output);
        screen_free(screen);
}

static void remarks_stand_above_the_tree(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);

        event_note(events, "engine qemu");
        event_begin(events, "create", "making VM 'blog'");
        event_begin(events, "base", "building");
        event_warning(events,
                      "software emulation is slow, and this line is longer than the screen is wide, so that it is broken");
        event_note(events, "a note");
        assert_seen(screen, "note: engine qemu\n"
                            "warning: software emulation is slow, and this line is longer than the screen is\n"
                            "wide, so that it is broken\n"
                            "note: a note\n"
                            "* making VM 'blog'  TIME\n"
                            "  * building  TIME");
        event_end(events, "create", EVENT_DONE, NULL);
        output_free(output);
        screen_free(screen);
}

static void a_tree_higher_than_the_screen_shows_its_end_and_then_all_of_it(void **state)
{
        struct screen *screen = screen_new(80, 5);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);
        _cleanup_(strbuf_clear) struct strbuf expected = STRBUF_INIT;

        event_note(events, "before");
        event_begin(events, "all", "everything");
        for (int i = 0; i < 12; i++) {
                _cleanup_(freep) char *id = xasprintf("step-%d", i);

                event_begin(events, id, "step %d", i);
                event_end(events, id, EVENT_DONE, NULL);
        }
        assert_seen(screen, "note: before\n"
                            "  ✓ step 8  TIME\n"
                            "  ✓ step 9  TIME\n"
                            "  ✓ step 10  TIME\n"
                            "  ✓ step 11  TIME");
        event_end(events, "all", EVENT_DONE, NULL);
        strbuf_adds(&expected, "note: before\n✓ everything  TIME");
        for (int i = 0; i < 12; i++)
                strbuf_addf(&expected, "\n  ✓ step %d  TIME", i);
        assert_seen(screen, expected.buf);
        output_free(output);
        screen_free(screen);
}

static void a_narrower_window_leaves_no_rests(void **state)
{
        struct screen *screen = screen_new(60, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);

        event_note(events, "before");
        event_begin(events, "create", "making a VM with a long name, 'a-long-name'");
        event_begin(events, "base", "building the base image of it");
        screen_resize(screen, 25, 24);
        event_begin(events, "inner", "x");
        event_end(events, "inner", EVENT_DONE, NULL);
        assert_seen(screen, "note: before\n"
                            "* making a VM with a lo…\n"
                            "  * building the base i…\n"
                            "    ✓ x  TIME");
        event_end(events, "create", EVENT_DONE, NULL);
        output_free(output);
        screen_free(screen);
}

static void a_wider_window_is_used_at_once(void **state)
{
        struct screen *screen = screen_new(20, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);
        char *seen;

        event_begin(events, "create", "making a VM with a long name");
        screen_resize(screen, 80, 24);
        seen = screen_wait(screen, "making a VM with a long name  ");
        assert_non_null(seen);
        assert_null(strchr(seen, '\n'));
        free(seen);
        output_free(output);
        screen_free(screen);
}

static void wide_letters_are_never_broken_over_the_edge(void **state)
{
        struct screen *screen = screen_new(12, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);

        event_begin(events, "x", "日本語日本語日本語");
        assert_seen(screen, "* 日本語日…");
        event_end(events, "x", EVENT_DONE, NULL);
        output_free(output);
        screen_free(screen);
}

static void a_one_column_window_is_survived(void **state)
{
        struct screen *screen = screen_new(1, 1);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);

        event_begin(events, "x", "building");
        event_line(events, "a line");
        event_begin(events, "y", "more");
        event_end(events, "x", EVENT_DONE, NULL);
        output_free(output);
        screen_free(screen);
}

static void settling_ends_the_tree_for_good(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);
        size_t before;

        event_begin(events, "start", "starting");
        output_settle(output);
        assert_seen(screen, "✗ starting  TIME");
        before = screen_bytes(screen)->len;
        event_begin(events, "again", "starting again");
        event_end(events, "again", EVENT_DONE, NULL);
        assert_seen(screen, "✗ starting  TIME\n✓ starting again  TIME");
        assert_true(screen_bytes(screen)->len > before);
        output_free(output);
        before = screen_bytes(screen)->len;
        assert_int_equal(screen_bytes(screen)->len, before);
        screen_free(screen);
}

static void no_color_means_none(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output;

        setenv("NO_COLOR", "1", 1);
        output = output_new(OUTPUT_AUTO, false);
        event_begin(output_sink(output), "base", "building");
        event_warning(output_sink(output), "careful");
        event_end(output_sink(output), "base", EVENT_FAILED, "no");
        output_free(output);
        for (const char *c = screen_bytes(screen)->buf; (c = strchr(c, '\033')); c++)
                assert_int_not_equal(c[2 + strspn(c + 2, "0123456789;")], 'm');
        screen_free(screen);
        unsetenv("NO_COLOR");
}

static void with_color_there_is_some(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);

        event_begin(output_sink(output), "base", "building");
        event_end(output_sink(output), "base", EVENT_DONE, NULL);
        output_free(output);
        assert_non_null(strstr(screen_bytes(screen)->buf, "\033[32m✓\033[m"));
        screen_free(screen);
}

static void a_dumb_terminal_gets_plain_lines(void **state)
{
        static const char *const kinds[] = { "dumb", "" };

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                struct screen *screen = screen_new(80, 24);
                struct output *output;

                setenv("TERM", kinds[i], 1);
                output = output_new(OUTPUT_AUTO, false);
                event_begin(output_sink(output), "base", "building");
                output_free(output);
                assert_null(strchr(screen_bytes(screen)->buf, '\033'));
                assert_seen(screen, "[base] building");
                screen_free(screen);
        }
        plain_environment();
}

static void plain_on_a_terminal_has_no_escapes(void **state)
{
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_PLAIN, false);

        event_begin(output_sink(output), "base", "building");
        event_warning(output_sink(output), "careful");
        event_end(output_sink(output), "base", EVENT_DONE, NULL);
        output_free(output);
        assert_null(strchr(screen_bytes(screen)->buf, '\033'));
        screen_free(screen);
}

static void another_locale_gets_ascii(void **state)
{
        struct screen *screen = screen_new(20, 24);
        struct output *output;

        setlocale(LC_CTYPE, "C");
        output = output_new(OUTPUT_AUTO, false);
        event_begin(output_sink(output), "base", "building");
        event_end(output_sink(output), "base", EVENT_DONE, NULL);
        event_begin(output_sink(output), "long", "a text that does not fit");
        for (const char *c = screen_bytes(screen)->buf; *c; c++)
                assert_true((unsigned char)*c < 0x80);
        assert_non_null(strstr(screen_bytes(screen)->buf, "a text that do..."));
        output_free(output);
        screen_free(screen);
        plain_environment();
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
        interrupted = number;
}

static void signals_reach_the_main_thread(void **state)
{
        struct sigaction action = { .sa_handler = on_signal };
        struct screen *screen = screen_new(80, 24);
        struct output *output = output_new(OUTPUT_AUTO, false);
        sigset_t blocked;
        char *seen;

        assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
        event_begin(output_sink(output), "base", "building");
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGUSR1);
        sigprocmask(SIG_BLOCK, &blocked, NULL);
        kill(getpid(), SIGUSR1);
        /* While the main thread blocks the signal, no other thread may take it. */
        seen = screen_wait_gone(screen, "building  0.0 s");
        assert_non_null(seen);
        free(seen);
        assert_int_equal(interrupted, 0);
        sigprocmask(SIG_UNBLOCK, &blocked, NULL);
        assert_int_equal(interrupted, SIGUSR1);
        output_free(output);
        screen_free(screen);
}

static void errors_are_coloured_on_a_terminal_only(void **state)
{
        struct screen *screen = screen_new(80, 24);
        _cleanup_(error_freep) struct error *err = NULL;

        error_set(&err, ERROR_FAILED, "no");
        output_error(OUTPUT_AUTO, err);
        assert_non_null(strstr(screen_bytes(screen)->buf, "\033[31mmachine:\033[m no"));
        screen_free(screen);
        screen = screen_new(80, 24);
        output_error(OUTPUT_PLAIN, err);
        assert_null(strchr(screen_bytes(screen)->buf, '\033'));
        screen_free(screen);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_step_that_ended_has_a_mark_and_its_time),
                cmocka_unit_test(steps_inside_others_are_indented_below_them),
                cmocka_unit_test(the_running_step_shows_its_last_line_cut_to_the_width),
                cmocka_unit_test(a_silent_step_still_ticks),
                cmocka_unit_test(a_step_of_known_length_has_a_bar_that_a_long_text_makes_room_for),
                cmocka_unit_test(a_step_that_took_long_the_last_time_says_so_while_it_runs),
                cmocka_unit_test(a_step_that_takes_longer_than_the_last_time_says_both),
                cmocka_unit_test(a_word_of_its_own_stands_above_the_tree),
                cmocka_unit_test(a_failed_step_keeps_its_last_lines_on_the_screen),
                cmocka_unit_test(remarks_stand_above_the_tree),
                cmocka_unit_test(a_tree_higher_than_the_screen_shows_its_end_and_then_all_of_it),
                cmocka_unit_test(a_narrower_window_leaves_no_rests),
                cmocka_unit_test(a_wider_window_is_used_at_once),
                cmocka_unit_test(wide_letters_are_never_broken_over_the_edge),
                cmocka_unit_test(a_one_column_window_is_survived),
                cmocka_unit_test(settling_ends_the_tree_for_good),
                cmocka_unit_test(no_color_means_none),
                cmocka_unit_test(with_color_there_is_some),
                cmocka_unit_test(a_dumb_terminal_gets_plain_lines),
                cmocka_unit_test(plain_on_a_terminal_has_no_escapes),
                cmocka_unit_test(another_locale_gets_ascii),
                cmocka_unit_test(signals_reach_the_main_thread),
                cmocka_unit_test(errors_are_coloured_on_a_terminal_only),
        };

        if (!setlocale(LC_CTYPE, "C.UTF-8")) {
                fputs("no C.UTF-8 locale here\n", stderr);
                return 77;
        }
        plain_environment();
        return cmocka_run_group_tests_name("term/live", tests, NULL, NULL);
}
