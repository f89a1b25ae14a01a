/* For which name an address was given. An entry lasts as long as the answer; when there is no room, the one that ends first
 * goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/account.h"
#include "net/names.h"
#include "net/rules.h"

static struct in_addr address(uint32_t number)
{
        return (struct in_addr){ .s_addr = htonl(number) };
}

static void an_answer_holds_for_its_time_and_a_moment(void **state)
{
        _cleanup_(freep) struct names *names = xcalloc(1, sizeof(*names));

        names_learn(names, "a.example", address(1), 60, 1000);
        assert_non_null(names_find(names, address(1), 1000 + 69 * 1000, NULL));
        assert_null(names_find(names, address(1), 1000 + 70 * 1000, NULL));
        assert_null(names_find(names, address(2), 1000, NULL));
        names_learn(names, "a.example", address(1), UINT32_MAX, 1000);
        assert_null(names_find(names, address(1), INT64_C(2) * 24 * 60 * 60 * 1000, NULL));
}

static void an_answer_holds_longer_for_a_guest_that_stood_still(void **state)
{
        _cleanup_(freep) struct names *names = xcalloc(1, sizeof(*names));

        names_learn(names, "a.example", address(1), 60, 1000);
        names_stood_still(names, 500 * 1000);
        assert_non_null(names_find(names, address(1), 1000 + 569 * 1000, NULL));
        assert_null(names_find(names, address(1), 1000 + 570 * 1000, NULL));
        /* An unused entry stays unused. */
        assert_null(names_find(names, address(0), 1000, NULL));
}

static void an_address_can_have_several_names(void **state)
{
        _cleanup_(freep) struct names *names = xcalloc(1, sizeof(*names));
        const struct names_entry *first, *second;

        names_learn(names, "a.example", address(1), 60, 1000);
        names_learn(names, "b.example", address(1), 60, 1000);
        names_learn(names, "a.example", address(1), 90, 2000);
        first = names_find(names, address(1), 3000, NULL);
        second = names_find(names, address(1), 3000, first);
        assert_string_equal(first->name, "a.example");
        assert_string_equal(second->name, "b.example");
        assert_null(names_find(names, address(1), 3000, second));
}

static void what_ends_first_makes_room(void **state)
{
        _cleanup_(freep) struct names *names = xcalloc(1, sizeof(*names));

        for (uint32_t i = 0; i < NAMES_MOST; i++)
                names_learn(names, "a.example", address(i + 1), 60 + i, 1000);
        names_learn(names, "b.example", address(9999), 60, 1000);
        assert_null(names_find(names, address(1), 1000, NULL));
        assert_non_null(names_find(names, address(2), 1000, NULL));
        assert_non_null(names_find(names, address(9999), 1000, NULL));
}

static void the_account_makes_room_by_what_is_longest_ago(void **state)
{
        _cleanup_(freep) struct account *account = xcalloc(1, sizeof(*account));

        for (uint16_t i = 0; i < ACCOUNT_MOST; i++)
                account_add(account, &(struct account_entry){ .protocol = IPPROTO_TCP, .port = i }, 100 + i);
        assert_int_equal(account_add(account, &(struct account_entry){ .protocol = IPPROTO_TCP, .port = 7 }, 1000), 7);
        assert_int_equal(account->items[7].count, 2);
        assert_int_equal(account_add(account, &(struct account_entry){ .protocol = IPPROTO_TCP, .port = 9999 }, 1001), 0);
        assert_int_equal(account->items[0].count, 1);
        account->items[300].reason = "name";
        assert_int_equal(account_add(account, &(struct account_entry){ .protocol = IPPROTO_TCP, .port = 9998 }, 1002), 300);
}

static const struct {
        const char *name;
        uint8_t protocol;
        uint16_t port;
        bool reached, inspected;
} asked[] = {
        { "web.example", IPPROTO_TCP, 443, true, true },   { "web.example", IPPROTO_TCP, 80, true, true },
        { "web.example", IPPROTO_UDP, 443, false, false }, { "web.example", IPPROTO_TCP, 22, false, false },
        { "ssh.example", IPPROTO_TCP, 22, true, false },   { "ssh.example", IPPROTO_UDP, 22, true, false },
        { "ssh.example", IPPROTO_TCP, 443, false, false }, { "tls.example", IPPROTO_TCP, 443, true, true },
        { "tls.example", IPPROTO_TCP, 80, false, false },  { "x.all.example", IPPROTO_TCP, 443, true, true },
        { "all.example", IPPROTO_TCP, 443, false, false },
};

static void a_name_opens_the_webs_ports_and_those_it_is_written_with(void **state)
{
        _cleanup_(freep) struct rules *rules = xcalloc(1, sizeof(*rules));

        assert_true(rules_parse("allow\nweb.example\nssh.example:22\ntls.example:443\n*.all.example\n10.0.0.0/8:5432\nend\n",
                                rules));
        for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
                bool inspect = false;

                assert_int_equal(rules_reach_name(rules, asked[i].name, asked[i].protocol, asked[i].port, &inspect),
                                 asked[i].reached);
                if (asked[i].reached)
                        assert_int_equal(inspect, asked[i].inspected);
        }
        assert_true(rules_reach_address(rules, address(0x0a010203), 5432));
        assert_false(rules_reach_address(rules, address(0x0a010203), 5433));
        assert_false(rules_reach_address(rules, address(0x0b010203), 5432));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_answer_holds_for_its_time_and_a_moment),
                cmocka_unit_test(an_answer_holds_longer_for_a_guest_that_stood_still),
                cmocka_unit_test(an_address_can_have_several_names),
                cmocka_unit_test(what_ends_first_makes_room),
                cmocka_unit_test(the_account_makes_room_by_what_is_longest_ago),
                cmocka_unit_test(a_name_opens_the_webs_ports_and_those_it_is_written_with),
        };

        return cmocka_run_group_tests_name("net/names", tests, NULL, NULL);
}
