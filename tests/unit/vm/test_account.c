/* What machine-net counted, read back: only whole files count, and text from a guest must be visible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "vm/account.h"

static void each_line_is_read(void **state)
{
        _cleanup_(account_clear) struct account account = ACCOUNT_INIT;

        assert_int_equal(account_parse("reached tcp a.example 11.22.33.44 443 3 100 2000 1700000000 1700000009\n"
                                       "refused dns b.example - 53 2 name 1700000001 1700000002\n"
                                       "refused tcp - 1.2.3.4 25 1 address 1700000003 1700000003\n"
                                       "end 17\n",
                                       &account),
                         1);
        assert_int_equal(account.count, 3);
        assert_int_equal(account.rules, 17);
        assert_true(account.lines[0].reached);
        assert_string_equal(account.lines[0].name, "a.example");
        assert_int_equal(account.lines[0].received, 2000);
        assert_int_equal(account.lines[0].last, 1700000009);
        assert_null(account.lines[0].reason);
        assert_null(account.lines[1].address);
        assert_string_equal(account.lines[1].reason, "name");
        assert_null(account.lines[2].name);
        assert_int_equal(account.lines[2].port, 25);
}

static void what_is_not_whole_is_not_read(void **state)
{
        static const char *const texts[] = {
                "",
                "en",
                "end\n",
                "end 1",
                "end x\n",
                "reached tcp a.example 11.22.33.44 443 3 100 2000 1700000000 1700000009\n",
                "reached tcp a.example 11.22.33.44 443 3 100",
                "reached tcp a.example 11.22.33.44 443 3 100 2000 1700000000\nend 1\n",
                "reached tcp a.example 11.22.33.44 x 3 100 2000 1700000000 1700000009\nend 1\n",
                "refused dns b.example - 53 2 name 1700000001\nend 1\n",
                "touched dns b.example - 53 2 name 1700000001 1700000002\nend 1\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(account_clear) struct account account = ACCOUNT_INIT;

                assert_int_equal(account_parse(texts[i], &account), 0);
        }
}

static void nothing_counted_is_whole(void **state)
{
        _cleanup_(account_clear) struct account account = ACCOUNT_INIT;

        assert_int_equal(account_parse("end 0\n", &account), 1);
        assert_int_equal(account.count, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_line_is_read),
                cmocka_unit_test(what_is_not_whole_is_not_read),
                cmocka_unit_test(nothing_counted_is_whole),
        };

        return cmocka_run_group_tests_name("vm/account", tests, NULL, NULL);
}
