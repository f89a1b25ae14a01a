/* The list of strings. */
#include "check.h"

#include "lib/strv.h"

static void an_empty_list_is_an_empty_argv(void **state)
{
        struct strv list = STRV_INIT;
        _cleanup_(freep) char *joined = strv_join(&list, ", ");

        assert_non_null(strv_argv(&list));
        assert_null(strv_argv(&list)[0]);
        assert_string_equal(joined, "");
        strv_sort(&list);
        assert_false(strv_contains(&list, ""));
        strv_clear(&list);
        strv_clear(NULL);
}

static void every_length_is_ended_by_null(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;

        for (size_t i = 0; i < 100; i++) {
                strv_addf(&list, "item %zu", i);
                assert_int_equal(list.count, i + 1);
                assert_null(strv_argv(&list)[i + 1]);
        }
        assert_string_equal(strv_argv(&list)[0], "item 0");
        assert_string_equal(strv_argv(&list)[99], "item 99");
}

static void a_text_is_split_without_empty_parts(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        _cleanup_(freep) char *joined = NULL;

        strv_split(&list, "", "\n");
        strv_split(&list, "\n\n", "\n");
        assert_int_equal(list.count, 0);
        strv_split(&list, "one", " ");
        strv_split(&list, " two  three,four ", " ,");
        joined = strv_join(&list, "|");
        assert_string_equal(joined, "one|two|three|four");
}

static void it_copies_what_is_added_and_owns_what_is_taken(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        char word[] = "word";
        char *given = xstrdup("given");

        strv_add(&list, word);
        strv_take(&list, given);
        word[0] = 'l';
        assert_string_equal(list.items[0], "word");
        assert_ptr_equal(list.items[1], given);
}

static void several_are_added_in_one_call(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        _cleanup_(freep) char *joined = NULL;

        strv_adds(&list, "ssh", "-F", "config", NULL);
        joined = strv_join(&list, " ");
        assert_string_equal(joined, "ssh -F config");
}

static void a_list_is_added_to_another_and_to_itself(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        _cleanup_(strv_clear) struct strv other = STRV_INIT;
        _cleanup_(freep) char *joined = NULL;

        strv_adds(&other, "b", "c", NULL);
        strv_add(&list, "a");
        strv_add_all(&list, &other);
        strv_add_all(&list, &list);
        joined = strv_join(&list, "");
        assert_string_equal(joined, "abcabc");
        assert_int_equal(other.count, 2);
}

static void it_knows_whole_items_only(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;

        strv_adds(&list, "alpha", "", NULL);
        assert_true(strv_contains(&list, "alpha"));
        assert_true(strv_contains(&list, ""));
        assert_false(strv_contains(&list, "alph"));
        assert_false(strv_contains(&list, "alphabet"));
}

static void it_sorts_by_bytes_in_any_locale(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        _cleanup_(freep) char *joined = NULL;

        strv_adds(&list, "b", "ä", "B", "a", "10", "9", "a", "", NULL);
        strv_sort(&list);
        joined = strv_join(&list, " ");
        assert_string_equal(joined, " 10 9 B a a b ä");
        assert_null(strv_argv(&list)[list.count]);
}

static void join_puts_separators_between_only(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        _cleanup_(freep) char *one = NULL;
        _cleanup_(freep) char *three = NULL;

        strv_add(&list, "a");
        one = strv_join(&list, ", ");
        strv_adds(&list, "", "b", NULL);
        three = strv_join(&list, ", ");
        assert_string_equal(one, "a");
        assert_string_equal(three, "a, , b");
}

static void it_knows_its_equal_and_its_beginning(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        _cleanup_(strv_clear) struct strv other = STRV_INIT;

        assert_true(strv_equal(&list, &other));
        strv_adds(&list, "a", "b", NULL);
        assert_true(strv_begins_with(&list, &other));
        assert_false(strv_begins_with(&other, &list));
        assert_false(strv_equal(&list, &other));
        strv_adds(&other, "a", "b", NULL);
        assert_true(strv_equal(&list, &other));
        strv_add(&list, "c");
        assert_true(strv_begins_with(&list, &other));
        assert_false(strv_equal(&list, &other));
        strv_add(&other, "d");
        assert_false(strv_begins_with(&list, &other));
}

static void a_cleared_list_can_be_used_again(void **state)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;

        strv_add(&list, "old");
        strv_clear(&list);
        assert_int_equal(list.count, 0);
        strv_add(&list, "new");
        assert_string_equal(strv_argv(&list)[0], "new");
        assert_null(strv_argv(&list)[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_list_is_an_empty_argv),
                cmocka_unit_test(every_length_is_ended_by_null),
                cmocka_unit_test(it_copies_what_is_added_and_owns_what_is_taken),
                cmocka_unit_test(a_text_is_split_without_empty_parts),
                cmocka_unit_test(several_are_added_in_one_call),
                cmocka_unit_test(a_list_is_added_to_another_and_to_itself),
                cmocka_unit_test(it_knows_whole_items_only),
                cmocka_unit_test(it_sorts_by_bytes_in_any_locale),
                cmocka_unit_test(join_puts_separators_between_only),
                cmocka_unit_test(it_knows_its_equal_and_its_beginning),
                cmocka_unit_test(a_cleared_list_can_be_used_again),
        };

        return cmocka_run_group_tests_name("lib/strv", tests, NULL, NULL);
}
