/* The growing text buffer. */
#include "check.h"

#include "lib/strbuf.h"

static void a_fresh_one_is_the_empty_text(void **state)
{
        struct strbuf text = STRBUF_INIT;

        assert_string_equal(text.buf, "");
        assert_int_equal(text.len, 0);
        strbuf_clear(&text);
        assert_string_equal(text.buf, "");
        strbuf_clear(NULL);
}

static void what_is_added_stands_behind_what_was_there(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_adds(&text, "one");
        strbuf_addc(&text, ' ');
        strbuf_add(&text, "twofold", 3);
        strbuf_addf(&text, " %d", 3);
        strbuf_adds(&text, "");
        strbuf_add(&text, NULL, 0);
        assert_string_equal(text.buf, "one two 3");
        assert_int_equal(text.len, 9);
}

static void it_holds_nul_bytes(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_add(&text, "a\0b", 3);
        strbuf_addc(&text, '\0');
        strbuf_addc(&text, 'c');
        assert_int_equal(text.len, 5);
        assert_memory_equal(text.buf, "a\0b\0c", 6);
}

static void it_grows_over_every_size_and_stays_ended(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        for (size_t i = 0; i < 5000; i++) {
                strbuf_addc(&text, (char)('a' + i % 26));
                assert_int_equal(text.len, i + 1);
                assert_true(text.room > text.len);
                assert_int_equal(text.buf[text.len], '\0');
        }
        for (size_t i = 0; i < 5000; i++)
                assert_int_equal(text.buf[i], 'a' + i % 26);
}

static void reserved_room_is_there_before_it_is_used(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        const char *before;

        strbuf_reserve(&text, 1000);
        assert_true(text.room > 1000);
        assert_string_equal(text.buf, "");
        before = text.buf;
        for (int i = 0; i < 100; i++)
                strbuf_adds(&text, "0123456789");
        assert_ptr_equal(text.buf, before);
}

static int reserve_everything(void *data)
{
        struct strbuf text = STRBUF_INIT;

        strbuf_adds(&text, "text");
        strbuf_reserve(&text, SIZE_MAX - 2);
        return 0;
}

static void a_size_that_overflows_ends_the_program(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        int status = in_child(reserve_everything, NULL, &said);

        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
        assert_true(said.len > 0);
}

static void reset_keeps_the_room(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        size_t room;

        strbuf_reset(&text); /* the shared empty text is not written to */
        strbuf_adds(&text, "something");
        room = text.room;
        strbuf_reset(&text);
        assert_string_equal(text.buf, "");
        assert_int_equal(text.len, 0);
        assert_int_equal(text.room, room);
}

static void truncate_only_shortens(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_truncate(&text, 3);
        assert_string_equal(text.buf, "");
        strbuf_adds(&text, "abcdef");
        strbuf_truncate(&text, 10);
        assert_string_equal(text.buf, "abcdef");
        strbuf_truncate(&text, 6);
        assert_string_equal(text.buf, "abcdef");
        strbuf_truncate(&text, 2);
        assert_string_equal(text.buf, "ab");
        assert_int_equal(text.len, 2);
}

static void consume_takes_from_the_front(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_consume(&text, 5);
        strbuf_adds(&text, "abcdef");
        strbuf_consume(&text, 0);
        assert_string_equal(text.buf, "abcdef");
        strbuf_consume(&text, 2);
        assert_string_equal(text.buf, "cdef");
        assert_int_equal(text.len, 4);
        strbuf_consume(&text, 100);
        assert_string_equal(text.buf, "");
        assert_int_equal(text.len, 0);
}

static void trim_end_takes_white_space_and_nothing_else(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_trim_end(&text);
        strbuf_adds(&text, " a b \t\r\n\v\f");
        strbuf_trim_end(&text);
        assert_string_equal(text.buf, " a b");
        strbuf_reset(&text);
        strbuf_adds(&text, " \n \n");
        strbuf_trim_end(&text);
        assert_string_equal(text.buf, "");
        strbuf_add(&text, "a \0", 3);
        strbuf_trim_end(&text);
        assert_int_equal(text.len, 3);
}

static void take_hands_out_a_text_of_its_own(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *empty = strbuf_take(&text);
        _cleanup_(freep) char *taken = NULL;

        assert_string_equal(empty, "");
        strbuf_adds(&text, "mine");
        taken = strbuf_take(&text);
        assert_string_equal(taken, "mine");
        assert_string_equal(text.buf, "");
        assert_int_equal(text.len, 0);
        strbuf_adds(&text, "next");
        assert_string_equal(taken, "mine");
        assert_string_equal(text.buf, "next");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_fresh_one_is_the_empty_text),
                cmocka_unit_test(what_is_added_stands_behind_what_was_there),
                cmocka_unit_test(it_holds_nul_bytes),
                cmocka_unit_test(it_grows_over_every_size_and_stays_ended),
                cmocka_unit_test(reserved_room_is_there_before_it_is_used),
                cmocka_unit_test(a_size_that_overflows_ends_the_program),
                cmocka_unit_test(reset_keeps_the_room),
                cmocka_unit_test(truncate_only_shortens),
                cmocka_unit_test(consume_takes_from_the_front),
                cmocka_unit_test(trim_end_takes_white_space_and_nothing_else),
                cmocka_unit_test(take_hands_out_a_text_of_its_own),
        };

        return cmocka_run_group_tests_name("lib/strbuf", tests, NULL, NULL);
}
