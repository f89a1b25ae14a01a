/* Our listeners: whoever connects is counted once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "audit/bait.h"

static const struct bait *find_loopback(const struct baits *baits)
{
        for (size_t i = 0; i < baits->count; i++)
                if (baits->items[i].loopback && baits->items[i].address.ss_family == AF_INET)
                        return &baits->items[i];
        return NULL;
}

static void who_connects_is_counted_once(void **state)
{
        _cleanup_(baits_clear) struct baits baits = BAITS_INIT;
        _cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM, 0);
        const struct bait *bait;

        assert_int_equal(baits_lay(&baits, NULL), 0);
        bait = find_loopback(&baits);
        assert_non_null(bait);
        assert_string_equal(bait->text, "127.0.0.1");
        assert_true(bait_port(bait) > 0);
        assert_int_equal(bait_taken(bait), 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&bait->address, bait->length), 0);
        assert_int_equal(bait_taken(bait), 1);
        assert_int_equal(bait_taken(bait), 0);
}

static void each_address_has_a_listener_of_its_own(void **state)
{
        _cleanup_(baits_clear) struct baits baits = BAITS_INIT;

        assert_int_equal(baits_lay(&baits, NULL), 0);
        for (size_t i = 0; i < baits.count; i++)
                for (size_t j = 0; j < i; j++)
                        assert_string_not_equal(baits.items[i].text, baits.items[j].text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_connects_is_counted_once),
                cmocka_unit_test(each_address_has_a_listener_of_its_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
