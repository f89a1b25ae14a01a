/* A flood becomes a few lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keys/tally.h"
#include "lib/strbuf.h"

static void note(const char *text, uint64_t again, void *data)
{
        strbuf_addf(data, "%s %llu;", text, (unsigned long long)again);
}

static void the_first_is_a_line_and_the_others_are_counted(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        struct tally tally = { 0 };

        assert_int_equal(tally_add(&tally, "a"), TALLY_FIRST);
        assert_int_equal(tally_add(&tally, "b"), TALLY_FIRST);
        for (int i = 0; i < 5; i++)
                assert_int_equal(tally_add(&tally, "a"), TALLY_AGAIN);
        tally_settle(&tally, note, &said);
        assert_string_equal(said.buf, "a 5;");
        /* The next minute begins with nothing. */
        assert_int_equal(tally_add(&tally, "a"), TALLY_FIRST);
        tally_clear(&tally);
}

static void kinds_beyond_the_limit_are_the_callers_to_count(void **state)
{
        struct tally tally = { 0 };

        for (int i = 0; i < TALLY_MOST; i++) {
                _cleanup_(freep) char *text = xasprintf("%d", i);

                assert_int_equal(tally_add(&tally, text), TALLY_FIRST);
        }
        assert_int_equal(tally_add(&tally, "one more"), TALLY_NO_ROOM);
        assert_int_equal(tally_add(&tally, "0"), TALLY_AGAIN);
        tally.others++;
        tally_clear(&tally);
        assert_int_equal(tally.others, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_is_a_line_and_the_others_are_counted),
                cmocka_unit_test(kinds_beyond_the_limit_are_the_callers_to_count),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
