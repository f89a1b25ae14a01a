/* Lines from pieces: none is lost, none is taken before it is complete, none is longer than allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qemu/lines.h"

static void a_line_comes_out_when_its_end_is_there(void **state)
{
        _cleanup_(lines_clear) struct lines lines = LINES_INIT(100);
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

        lines_feed(&lines, "one\ntw", 6);
        assert_int_equal(lines_next(&lines, &line, NULL), 1);
        assert_string_equal(line.buf, "one");
        assert_int_equal(lines_next(&lines, &line, NULL), 0);
        lines_feed(&lines, "o\r\n\n", 4);
        assert_int_equal(lines_next(&lines, &line, NULL), 1);
        assert_string_equal(line.buf, "two");
        assert_int_equal(lines_next(&lines, &line, NULL), 1);
        assert_string_equal(line.buf, "");
        assert_int_equal(lines_next(&lines, &line, NULL), 0);
}

static void bytes_that_come_one_by_one_make_the_same_lines(void **state)
{
        static const char text[] = "first\r\n\nthird \r line\n";
        _cleanup_(lines_clear) struct lines lines = LINES_INIT(100);
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf all = STRBUF_INIT;

        for (size_t i = 0; i < sizeof(text) - 1; i++) {
                lines_feed(&lines, text + i, 1);
                if (lines_next(&lines, &line, NULL) == 1)
                        strbuf_addf(&all, "<%s>", line.buf);
        }
        assert_string_equal(all.buf, "<first><><third \r line>");
}

static void a_nul_byte_stays_in_its_line(void **state)
{
        _cleanup_(lines_clear) struct lines lines = LINES_INIT(100);
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

        lines_feed(&lines, "a\0b\n", 4);
        assert_int_equal(lines_next(&lines, &line, NULL), 1);
        assert_int_equal(line.len, 3);
}

static void a_line_over_the_limit_is_refused_whole_or_not(void **state)
{
        _cleanup_(lines_clear) struct lines unended = LINES_INIT(8);
        _cleanup_(lines_clear) struct lines ended = LINES_INIT(8);
        _cleanup_(lines_clear) struct lines just = LINES_INIT(8);
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        lines_feed(&unended, "123456789", 9);
        assert_int_equal(lines_next(&unended, &line, &err), -1);
        assert_string_equal(err->message, "a line of more than 8 bytes");
        lines_feed(&ended, "123456789\n", 10);
        assert_int_equal(lines_next(&ended, &line, NULL), -1);
        lines_feed(&just, "12345678\n", 9);
        assert_int_equal(lines_next(&just, &line, NULL), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_comes_out_when_its_end_is_there),
                cmocka_unit_test(bytes_that_come_one_by_one_make_the_same_lines),
                cmocka_unit_test(a_nul_byte_stays_in_its_line),
                cmocka_unit_test(a_line_over_the_limit_is_refused_whole_or_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
