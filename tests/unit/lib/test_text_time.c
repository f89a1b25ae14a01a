/* Durations and times: as people read them, and as files have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/text.h"

static void durations_are_shown_as_people_say_them(void **state)
{
        static const struct {
                int64_t milliseconds;
                const char *text;
        } table[] = {
                { 0, "0.0 s" },
                { 300, "0.3 s" },
                { 9949, "9.9 s" },
                { 9950, "10 s" },
                { 12000, "12 s" },
                { 59499, "59 s" },
                { 59500, "1 min" },
                { 60000, "1 min" },
                { 200000, "3 min 20 s" },
                { 3599499, "59 min 59 s" },
                { 3599500, "1 h" },
                { 3600000, "1 h" },
                { 7500000, "2 h 5 min" },
                { 7170000, "2 h" },
                { 7169000, "1 h 59 min" },
                { 360000000, "100 h" },
                { INT64_MAX, "2562047788015 h 13 min" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *text = text_format_duration(table[i].milliseconds);

                assert_string_equal(text, table[i].text);
        }
}

static void a_duration_is_a_number_and_a_unit(void **state)
{
        static const struct {
                const char *text;
                int64_t seconds; /* -1 = refused */
        } table[] = {
                { "45s", 45 },
                { "30m", 1800 },
                { "2h", 7200 },
                { "1d", 86400 },
                { "0s", 0 },
                { "", -1 },
                { "30", -1 },
                { "m", -1 },
                { "30 m", -1 },
                { "30min", -1 },
                { "-1h", -1 },
                { "1.5h", -1 },
                { "1h30m", -1 },
                { "never", -1 },
                { "30M", -1 },
                { "99999999999999999999s", -1 },
                { "9223372036854775807d", -1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                int64_t seconds = -1;

                assert_int_equal(text_parse_duration(table[i].text, &seconds), table[i].seconds < 0 ? -1 : 0);
                assert_int_equal(seconds, table[i].seconds);
        }
}

static void a_time_that_was_written_is_read_again(void **state)
{
        _cleanup_(freep) char *text = text_format_time(1767323045);

        assert_int_equal(text_parse_time(text), 1767323045);
        assert_int_equal(text_parse_time("2026-01-02T03:04:05.25Z"), 1767323045);
        assert_int_equal(text_parse_time("1970-01-01T00:00:00Z"), 0);
        assert_int_equal(text_parse_time("2026-01-02T03:04:05"), -1);
        assert_int_equal(text_parse_time("2026-01-02T03:04:05+01:00"), -1);
        assert_int_equal(text_parse_time("soon"), -1);
}

static void durations_that_are_not_known_exactly_are_rounded(void **state)
{
        static const struct {
                int64_t milliseconds;
                const char *text;
        } table[] = {
                { 0, "a few seconds" },       { 7999, "a few seconds" },  { 8000, "10 seconds" },     { 44000, "40 seconds" },
                { 54999, "50 seconds" },      { 55000, "1 minute" },      { 89999, "1 minute" },      { 90000, "2 minutes" },
                { 99 * 60000, "99 minutes" }, { 100 * 60000, "2 hours" }, { 7 * 3600000, "7 hours" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *text = text_format_roughly(table[i].milliseconds);

                assert_string_equal(text, table[i].text);
        }
}

static void a_clock_counts_minutes_and_seconds(void **state)
{
        static const struct {
                int64_t milliseconds;
                const char *text;
        } table[] = { { 0, "0:00" }, { 7999, "0:07" }, { 130000, "2:10" }, { 3599999, "59:59" }, { 3730000, "1:02:10" } };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *text = text_format_clock(table[i].milliseconds);

                assert_string_equal(text, table[i].text);
        }
}

static void a_time_is_in_utc(void **state)
{
        _cleanup_(freep) char *first = text_format_time(0);
        _cleanup_(freep) char *later = text_format_time(1795572004);

        assert_string_equal(first, "1970-01-01T00:00:00Z");
        assert_string_equal(later, "2026-11-25T02:00:04Z");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(durations_are_shown_as_people_say_them),
                cmocka_unit_test(a_duration_is_a_number_and_a_unit),
                cmocka_unit_test(a_time_that_was_written_is_read_again),
                cmocka_unit_test(durations_that_are_not_known_exactly_are_rounded),
                cmocka_unit_test(a_clock_counts_minutes_and_seconds),
                cmocka_unit_test(a_time_is_in_utc),
        };

        return cmocka_run_group_tests_name("lib/text-time", tests, NULL, NULL);
}
