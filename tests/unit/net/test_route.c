/* What the kernel says about an address. tests/net has more of this, with its own interfaces. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/route.h"
#include "packets.h"

static void loopback_is_the_host(void **state)
{
        _cleanup_(route_close) struct route route = ROUTE_INIT;

        assert_int_equal(route_open(&route, NULL), 0);
        assert_int_equal(route_find(&route, test_address("127.0.0.1")), POLICY_ROUTE_HOST);
        assert_int_equal(route_find(&route, test_address("127.1.2.3")), POLICY_ROUTE_HOST);
        assert_int_equal(route_find(&route, test_address("11.22.33.44")), POLICY_ROUTE_OUT);
}

static void an_answer_is_kept(void **state)
{
        _cleanup_(route_close) struct route route = ROUTE_INIT;
        uint32_t sequence;

        assert_int_equal(route_open(&route, NULL), 0);
        route_find(&route, test_address("11.22.33.44"));
        sequence = route.sequence;
        assert_int_equal(route_find(&route, test_address("11.22.33.44")), POLICY_ROUTE_OUT);
        assert_int_equal(route.sequence, sequence);
        route_find(&route, test_address("11.22.33.45"));
        assert_int_equal(route.sequence, sequence + 1);
}

static void an_old_answer_is_asked_for_again(void **state)
{
        _cleanup_(route_close) struct route route = ROUTE_INIT;

        assert_int_equal(route_open(&route, NULL), 0);
        route_find(&route, test_address("127.0.0.1"));
        for (size_t i = 0; i < ROUTE_KEPT; i++) {
                if (route.kept[i].until == 0)
                        continue;
                route.kept[i].route = POLICY_ROUTE_OUT;
                assert_int_equal(route_find(&route, test_address("127.0.0.1")), POLICY_ROUTE_OUT);
                route.kept[i].until -= 2000;
        }
        assert_int_equal(route_find(&route, test_address("127.0.0.1")), POLICY_ROUTE_HOST);
}

static void without_an_answer_everything_is_the_host(void **state)
{
        struct route route = ROUTE_INIT;

        assert_int_equal(route_find(&route, test_address("11.22.33.44")), POLICY_ROUTE_HOST);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(loopback_is_the_host),
                cmocka_unit_test(an_answer_is_kept),
                cmocka_unit_test(an_old_answer_is_asked_for_again),
                cmocka_unit_test(without_an_answer_everything_is_the_host),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
