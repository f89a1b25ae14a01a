/* Whatever is put on a canvas is harmless, and stays in its place. */
#include "seen.h"

#include <locale.h>

#include "board/canvas.h"

static char *shown(const char *text, size_t width, bool unicode)
{
        _cleanup_(canvas_clear) struct canvas canvas = CANVAS_INIT;

        canvas_begin(&canvas, width, 1, unicode);
        canvas_put(&canvas, 0, STYLE_NONE, text, SIZE_MAX);
        return canvas_text(&canvas, 0);
}

static void what_drives_a_terminal_is_made_visible(void **state)
{
        _cleanup_(freep) char *text = shown("a\033[2Jb\tc\r\n\xc2\x9b", 80, true);

        assert_string_equal(text, "a\\x1b[2Jb c\\x0d\\x0a\\xc2\\x9b");
}

static void a_text_is_cut_at_the_end_of_its_line(void **state)
{
        _cleanup_(freep) char *whole = shown("0123456789", 10, true);
        _cleanup_(freep) char *cut = shown("0123456789", 9, true);
        _cleanup_(freep) char *plain = shown("0123456789", 9, false);
        _cleanup_(freep) char *wide = shown("日本語", 5, true);

        assert_string_equal(whole, "0123456789");
        assert_string_equal(cut, "01234567…");
        assert_string_equal(plain, "012345...");
        assert_string_equal(wide, "日本…");
}

static void a_terminal_that_knows_ascii_only_gets_nothing_else(void **state)
{
        _cleanup_(freep) char *text = shown("größer 日本", 80, false);

        assert_string_equal(text, "gr??er ??");
}

static void a_line_that_is_full_or_is_not_there_takes_no_more(void **state)
{
        _cleanup_(canvas_clear) struct canvas canvas = CANVAS_INIT;
        _cleanup_(freep) char *text = NULL;

        canvas_begin(&canvas, 4, 1, true);
        canvas_put(&canvas, 0, STYLE_NONE, "abcd", SIZE_MAX);
        canvas_put(&canvas, 0, STYLE_NONE, "e", SIZE_MAX);
        canvas_put(&canvas, 1, STYLE_NONE, "f", SIZE_MAX);
        canvas_fill(&canvas, 1, STYLE_NONE, 3);
        text = canvas_text(&canvas, 0);
        assert_string_equal(text, "abcd");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_drives_a_terminal_is_made_visible),
                cmocka_unit_test(a_text_is_cut_at_the_end_of_its_line),
                cmocka_unit_test(a_terminal_that_knows_ascii_only_gets_nothing_else),
                cmocka_unit_test(a_line_that_is_full_or_is_not_there_takes_no_more),
        };

        setlocale(LC_CTYPE, "C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
