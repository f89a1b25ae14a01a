/* What is on its way to the guest, by the text that libslirp has for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/util.h"
#include "net/owed.h"

#define HEAD     "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\n"
#define LISTENER "  TCP[HOST_FORWARD]   9       127.0.0.1  3000       10.0.2.15  3000     0     0\n"

/* Descriptors from 20 on are far, others near. */
static enum owed_weight near_only(int fd, void *data)
{
        return fd >= 20 ? OWED_NOTHING : OWED_ALL;
}

static enum owed_weight any(int fd, void *data)
{
        return fd >= 20 ? OWED_BYTES : OWED_ALL;
}

static void assert_owed(const char *line, bool near_wanted, bool any_wanted)
{
        _cleanup_(freep) char *text =
                xasprintf(HEAD LISTENER
                          "%s\n  UDP[240 sec]        15       10.0.2.15 40000      11.22.33.2  8081     0     7\n",
                          line);

        assert_int_equal(owed_find(text, near_only, NULL), near_wanted);
        assert_int_equal(owed_find(text, any, NULL), any_wanted);
}

static void nothing_is_owed_when_all_was_acknowledged(void **state)
{
        assert_false(owed_find("", near_only, NULL));
        assert_false(owed_find(HEAD LISTENER, near_only, NULL));
        assert_owed("  TCP[ESTABLISHED]   14        10.0.2.2 40222       10.0.2.15    22     0     0", false, false);
        /* The other direction: the guest's bytes wait for this computer. */
        assert_owed("  TCP[ESTABLISHED]   14        10.0.2.2 40222       10.0.2.15    22   999     0", false, false);
        assert_owed("  TCP[FIN_WAIT_2]    14        10.0.2.2 40222       10.0.2.15    22     0     0", false, false);
}

static void bytes_are_owed(void **state)
{
        assert_owed("  TCP[ESTABLISHED]   14        10.0.2.2 40222       10.0.2.15    22     0     1", true, true);
        assert_owed("  TCP[CLOSE_WAIT]    14        10.0.2.2 40222       10.0.2.15    22     0 65536", true, true);
        assert_owed("  TCP[ESTABLISHED]   24       10.0.2.15 40222      11.22.33.2    80     0     1", false, true);
}

static void a_connection_and_an_end_are_owed_if_they_are_near(void **state)
{
        assert_owed("  TCP[SYN_SENT]      14        10.0.2.2 40222       10.0.2.15    22     0     0", true, true);
        assert_owed("  TCP[FIN_WAIT_1]    14        10.0.2.2 40222       10.0.2.15    22     0     0", true, true);
        assert_owed("  TCP[CLOSING]       14        10.0.2.2 40222       10.0.2.15    22     0     0", true, true);
        assert_owed("  TCP[LAST_ACK]      14        10.0.2.2 40222       10.0.2.15    22     0     0", true, true);
        assert_owed("  TCP[FIN_WAIT_1]    24       10.0.2.15 40222      11.22.33.2    80     0     0", false, false);
}

static void what_is_not_as_it_should_be_is_passed_over(void **state)
{
        assert_owed("  TCP[SYN_SENT]      -1        10.0.2.2 40222       10.0.2.15    22     0     0", false, false);
        assert_owed("  TCP[ESTABLISHED]   14        10.0.2.2 40222       10.0.2.15    22     0", false, false);
        assert_owed("  TCP[ESTABLISHED]   14        10.0.2.2 40222       10.0.2.15    22     0     x", false, false);
        assert_owed("  ICMP[9 sec]        14       10.0.2.15  -         11.22.33.2  -        0     5", false, false);
        assert_owed("", false, false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_owed_when_all_was_acknowledged),
                cmocka_unit_test(bytes_are_owed),
                cmocka_unit_test(a_connection_and_an_end_are_owed_if_they_are_near),
                cmocka_unit_test(what_is_not_as_it_should_be_is_passed_over),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
