/* Who holds a port, by the kernel's table, with its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm/ports.h"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

static void rows_that_take_in_the_loopback_are_in_the_way(void **state)
{
        static const char table[] = HEAD
                "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000000000000000 100 0 0 10 0\n"
                "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17 1 0000000000000000 100 0 0 10 0\n"
                "   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 99 1 0000000000000000 20 4 30 10 -1\n"
                "   3: 0A01A8C0:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 98 1 0000000000000000 100 0 0 10 0\n"
                " 104: 0100007F:FFFF 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18446744073709551615 1 0 100 0 0 10 0";

        assert_int_equal(ports_parse_listener(table, 3000), 31337);
        assert_int_equal(ports_parse_listener(table, 22), 17);
        assert_int_equal(ports_parse_listener(table, 65535), UINT64_MAX);
        /* A connection, and a listener on another address. */
        assert_int_equal(ports_parse_listener(table, 8080), 0);
        assert_int_equal(ports_parse_listener(table, 8081), 0);
        assert_int_equal(ports_parse_listener(table, 1), 0);
}

static void the_table_of_the_newer_protocol_counts_too(void **state)
{
        static const char table[] = HEAD
                "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5 1 0 100 0 0 10 0\n"
                "   1: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 6 1 0 100 0 0 10 0\n"
                "   2: 00000000000000000000000001000000:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0\n";

        assert_int_equal(ports_parse_listener(table, 80), 5);
        assert_int_equal(ports_parse_listener(table, 81), 6);
        assert_int_equal(ports_parse_listener(table, 82), 0);
}

static void a_mangled_table_names_nobody(void **state)
{
        static const char *const tables[] = { "", HEAD, "0: zz:0016", "   0: 0100007F:0BB8 00000000:0000 0A", "\n\n\n" };

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                assert_int_equal(ports_parse_listener(tables[i], 3000), 0);
}

static uint16_t listen_somewhere(int *fd)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);

        *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(*fd >= 0);
        assert_int_equal(bind(*fd, (const struct sockaddr *)&address, length), 0);
        assert_int_equal(listen(*fd, 1), 0);
        assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &length), 0);
        return ntohs(address.sin_port);
}

static void a_held_port_is_an_error_that_names_the_holder(void **state)
{
        _cleanup_(closep) int fd = -1;
        uint16_t port = listen_somewhere(&fd);
        char name[] = "blog";
        struct vm_port ports[] = { { port, 80 } };
        struct vm_record record = { .name = name, .ports = ports, .port_count = 1 };
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *expected =
                xasprintf("port %u on 127.0.0.1 is in use by 'test-vm-ports' (pid %d)", port, (int)getpid());

        assert_int_equal(ports_check(&record, &err), -1);
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_string_equal(err->message, expected);
        assert_string_equal(err->hint, "stop it, or change 'ports' of project 'blog'");
}

static void a_free_port_is_no_error(void **state)
{
        int fd = -1;
        uint16_t port = listen_somewhere(&fd);
        char name[] = "blog";
        struct vm_port ports[] = { { port, 80 } };
        struct vm_record record = { .name = name, .ports = ports, .port_count = 1 };

        close(fd);
        assert_int_equal(ports_check(&record, NULL), 0);
}

static void a_chosen_port_is_nobodys(void **state)
{
        char name[] = "blog";
        struct vm_port ports[] = { { 0, 80 } };
        struct vm_record record = { .name = name, .ports = ports, .port_count = 1 };

        assert_int_equal(ports_choose(&ports[0].host, NULL), 0);
        assert_true(ports[0].host > 0);
        assert_int_equal(ports_check(&record, NULL), 0);
}

static void the_ports_of_a_vm_lead_both_ways(void **state)
{
        struct vm_port ports[] = { { 3000, 3000 }, { 8080, 80 }, { 8081, 80 } };
        struct vm_record record = { .ports = ports, .port_count = ARRAY_SIZE(ports) };

        assert_int_equal(ports_host(&record, 3000, 0), 3000);
        assert_int_equal(ports_host(&record, 80, 0), 8080);
        assert_int_equal(ports_host(&record, 80, 8081), 8081);
        assert_int_equal(ports_host(&record, 80, 9000), 0);
        assert_int_equal(ports_host(&record, 8080, 0), 0);
        assert_int_equal(ports_guest(&record, 8080), 80);
        assert_int_equal(ports_guest(&record, 80), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_that_take_in_the_loopback_are_in_the_way),
                cmocka_unit_test(the_table_of_the_newer_protocol_counts_too),
                cmocka_unit_test(a_mangled_table_names_nobody),
                cmocka_unit_test(a_held_port_is_an_error_that_names_the_holder),
                cmocka_unit_test(a_free_port_is_no_error),
                cmocka_unit_test(the_ports_of_a_vm_lead_both_ways),
                cmocka_unit_test(a_chosen_port_is_nobodys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
