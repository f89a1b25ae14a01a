/* What the guest reached is counted on by the machine-net that takes the place of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/account.h"

static int open_file(const char *text)
{
        FILE *file = tmpfile();
        int fd;

        assert_non_null(file);
        fd = dup(fileno(file));
        assert_true(fd >= 0);
        fclose(file);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        return fd;
}

static char *content(int fd)
{
        char *text = xcalloc(1, 4096);

        assert_true(pread(fd, text, 4095, 0) >= 0);
        return text;
}

static void what_was_written_is_read_back_and_counted_on(void **state)
{
        static const char before[] = "reached tcp a.example 192.0.2.1 443 3 100 2000 50 60\n"
                                     "refused udp - 192.0.2.2 53 7 private 51 61\n"
                                     "refused dns b.example - 0 1 name 52 62\n"
                                     "end 9\n";
        _cleanup_(freep) struct account *account = xcalloc(1, sizeof(*account));
        const struct account_entry again = {
                .protocol = IPPROTO_TCP, .name = "a.example", .address.s_addr = htonl(0xc0000201), .port = 443
        };
        _cleanup_(closep) int fd = open_file(before);
        _cleanup_(freep) char *text = NULL;
        size_t place;

        account_read(account, fd);
        place = account_add(account, &again, 70);
        account_bytes(account, place, 1, 2, 71);
        account->rules = 10;
        account_write(account, fd);
        text = content(fd);
        assert_string_equal(text, "reached tcp a.example 192.0.2.1 443 4 101 2002 50 71\n"
                                  "refused udp - 192.0.2.2 53 7 private 51 61\n"
                                  "refused dns b.example - 0 1 name 52 62\n"
                                  "end 10\n");
        for (size_t i = 0; i < 3; i++)
                free((char *)account->items[i].reason);
}

static void what_makes_no_sense_is_passed_over(void **state)
{
        _cleanup_(freep) struct account *account = xcalloc(1, sizeof(*account));
        _cleanup_(closep) int fd = open_file("reached tcp a.example 192.0.2.1 443 3 100 2000 50\n"
                                             "reached xyz - 192.0.2.1 443 3 100 2000 50 60\n"
                                             "reached tcp - 192.0.2.999 443 3 100 2000 50 60\n"
                                             "reached tcp - 192.0.2.1 70000 3 100 2000 50 60\n"
                                             "reached tcp - 192.0.2.1 80 -3 100 2000 50 60\n"
                                             "\nrefus");

        account_read(account, fd);
        for (size_t i = 0; i < ACCOUNT_MOST; i++)
                assert_false(account->items[i].used);
        account_read(account, -1);
}

static void the_rest_of_an_older_longer_file_is_no_part_of_it(void **state)
{
        _cleanup_(freep) struct account *account = xcalloc(1, sizeof(*account));
        _cleanup_(closep) int fd = open_file("reached tcp - 192.0.2.1 443 3 100 2000 50 60\n"
                                             "end 9\n"
                                             "reached tcp - 192.0.2.2 443 3 100 2000 50 60\n"
                                             "end 8\n");
        _cleanup_(freep) char *text = NULL;

        account_read(account, fd);
        assert_true(account->items[0].used);
        assert_false(account->items[1].used);
        account->rules = 9;
        account_write(account, fd);
        text = content(fd);
        assert_string_equal(text, "reached tcp - 192.0.2.1 443 3 100 2000 50 60\nend 9\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_written_is_read_back_and_counted_on),
                cmocka_unit_test(what_makes_no_sense_is_passed_over),
                cmocka_unit_test(the_rest_of_an_older_longer_file_is_no_part_of_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
