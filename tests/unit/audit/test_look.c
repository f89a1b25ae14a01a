/* What the kernel says about listeners, and about our own confinement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/look.h"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

static void listeners_are_told_from_connections(void **state)
{
        static const char table[] = HEAD
                "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0 100 0 0 10 0\n"
                "   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 99 1 0 20 4 30 10 -1\n"
                "   2: 00000000000000000000000001000000:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0\n"
                "   3: 0100007:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31338 1 0 100 0 0 10 0\n";
        _cleanup_(strv_clear) struct strv found = STRV_INIT;

        look_parse_listeners(table, &found);
        assert_int_equal(found.count, 2);
        assert_string_equal(found.items[0], "31337 127.0.0.1:3000");
        assert_string_equal(found.items[1], "7 [::1]:82");
}

static void a_process_is_asked_for_what_it_listens_on(void **state)
{
        _cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        const struct engine_processes us = { .items = { { .pid = getpid(), .role = "us" } }, .count = 1 };
        _cleanup_(strv_clear) struct strv found = STRV_INIT;
        _cleanup_(freep) char *place = NULL;
        socklen_t length = sizeof(address);

        assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&address, length), 0);
        assert_int_equal(look_listening(&us, &found, NULL), 0);
        assert_int_equal(found.count, 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&address, &length), 0);
        assert_int_equal(look_listening(&us, &found, NULL), 0);
        place = xasprintf("127.0.0.1:%u", ntohs(address.sin_port));
        assert_int_equal(found.count, 1);
        assert_string_equal(found.items[0], place);
}

static void an_ordinary_process_is_not_confined(void **state)
{
        struct look_confinement seen;

        assert_int_equal(look_confinement(getpid(), &seen, NULL), 1);
        assert_false(seen.own_network || seen.own_mounts || seen.own_processes);
}

static void privileges_that_are_given_up_are_seen(void **state)
{
        struct look_confinement seen = { 0 };
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
                _exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && look_confinement(getpid(), &seen, NULL) == 1 &&
                                      seen.no_new_privileges
                              ? 0
                              : 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

static void who_is_gone_can_not_be_looked_at(void **state)
{
        _cleanup_(error_freep) struct error *error = NULL;
        struct look_confinement seen;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
                _exit(0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(look_confinement(child, &seen, &error), -1);
        assert_non_null(error);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(listeners_are_told_from_connections),
                cmocka_unit_test(a_process_is_asked_for_what_it_listens_on),
                cmocka_unit_test(an_ordinary_process_is_not_confined),
                cmocka_unit_test(privileges_that_are_given_up_are_seen),
                cmocka_unit_test(who_is_gone_can_not_be_looked_at),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
