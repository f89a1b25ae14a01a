/* What Lima asks QEMU, and what becomes of a run's network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shim/arguments.h"

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): the macro and its argument are one text */
#define LIMA(port) "user,id=net0,net=192.168.5.0/24,dhcpstart=192.168.5.15,hostfwd=tcp:127.0.0.1:" port

static void questions_of_limas_are_known(void **state)
{
        static const char *const questions[][5] = {
                { "--version" },
                { "-version" },
                { "-M", "none", "-accel", "help" },
                { "-M", "none", "-netdev", "help" },
                { "-machine", "help" },
                { "-cpu", "help", "-machine", "q35" },
        };
        static const char *const run[] = { "-machine", "q35", "-netdev", LIMA("1-:22"), "-name", "lima-help", NULL };

        for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
                assert_true(arguments_are_question(questions[i]));
        assert_false(arguments_are_question(run));
}

static void limas_network_becomes_a_stream_and_all_else_stays(void **state)
{
        static const char *const run[] = { "-m", "1024", "-netdev", LIMA("60022-:22"), "-device", "virtio-net-pci,netdev=net0",
                                           NULL };
        static const char *const wanted[] = {
                "-m",       "1024",
                "-netdev",  "stream,id=net0,server=off,addr.type=fd,addr.str=7",
                "-device",  "virtio-net-pci,netdev=net0",
                "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
        };
        _cleanup_(strv_clear) struct strv out = STRV_INIT;
        uint16_t port = 0;

        assert_int_equal(arguments_rewrite(run, &(struct arguments_wires){ .frames = 7 }, &out, &port, NULL), 0);
        assert_int_equal(port, 60022);
        assert_int_equal(out.count, ARRAY_SIZE(wanted));
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
                assert_string_equal(out.items[i], wanted[i]);
}

static void what_a_guest_says_goes_into_pipes(void **state)
{
        static const char *const run[] = {
                "-chardev",
                "socket,id=char-serial,path=/lima/blog/serial.sock,server=on,wait=off,logfile=/lima/blog/serial.log",
                "-serial",
                "chardev:char-serial",
                "--chardev",
                "socket,id=v,logfile=/lima/blog/serialv.log,server=on",
                "-chardev",
                "socket,id=char-qmp,path=/lima/blog/qmp.sock,server=on,wait=off",
                "-netdev",
                LIMA("60022-:22"),
                NULL
        };
        static const int logs[] = { 8, 9 };
        _cleanup_(strv_clear) struct strv paths = STRV_INIT;
        _cleanup_(strv_clear) struct strv out = STRV_INIT;
        uint16_t port = 0;

        arguments_logs(run, &paths);
        assert_int_equal(paths.count, 2);
        assert_string_equal(paths.items[0], "/lima/blog/serial.log");
        assert_string_equal(paths.items[1], "/lima/blog/serialv.log");
        assert_int_equal(arguments_rewrite(run, &(struct arguments_wires){ 7, logs }, &out, &port, NULL), 0);
        assert_string_equal(out.items[1],
                            "socket,id=char-serial,path=/lima/blog/serial.sock,server=on,wait=off,logfile=/dev/fd/8");
        assert_string_equal(out.items[3], run[3]);
        assert_string_equal(out.items[5], "socket,id=v,logfile=/dev/fd/9,server=on");
        assert_string_equal(out.items[7], run[7]);
}

static void a_chardev_without_its_value_is_left_to_qemu(void **state)
{
        static const char *const run[] = { "-netdev", LIMA("1-:22"), "-chardev", NULL };
        _cleanup_(strv_clear) struct strv paths = STRV_INIT;
        _cleanup_(strv_clear) struct strv out = STRV_INIT;
        uint16_t port = 0;

        arguments_logs(run, &paths);
        assert_int_equal(paths.count, 0);
        assert_int_equal(arguments_rewrite(run, &(struct arguments_wires){ .frames = 7 }, &out, &port, NULL), 0);
        assert_string_equal(out.items[2], "-chardev");
}

static void a_sandbox_of_the_users_stays_the_only_one(void **state)
{
        static const char *const run[] = { "--sandbox", "off", "--netdev", LIMA("1-:22"), NULL };
        _cleanup_(strv_clear) struct strv out = STRV_INIT;
        uint16_t port = 0;

        assert_int_equal(arguments_rewrite(run, &(struct arguments_wires){ .frames = 3 }, &out, &port, NULL), 0);
        assert_int_equal(out.count, 4);
        assert_string_equal(out.items[1], "off");
}

static void what_is_not_limas_one_network_is_refused(void **state)
{
        static const struct {
                const char *arguments[7];
                const char *message;
        } cases[] = {
                { { "-m", "1" }, "no network" },
                { { "-netdev" }, "more than one" },
                { { "-netdev", "user,id=net0" }, "isn't known: 'user,id=net0'" },
                { { "-netdev", LIMA("60022-:23") }, "isn't known" },
                { { "-netdev", LIMA("60022") }, "isn't known" },
                { { "-netdev", LIMA("1-:22,guestfwd=tcp:10.0.2.1:1-cmd:sh") }, "isn't known" },
                { { "-netdev", LIMA("1-:22,hostfwd=tcp::2-:22") }, "isn't known" },
                { { "-netdev", LIMA("0-:22") }, "isn't known" },
                { { "-netdev", LIMA("65536-:22") }, "isn't known" },
                { { "-netdev", LIMA("-:22") }, "isn't known" },
                { { "-netdev", LIMA(":22") }, "isn't known" },
                { { "-netdev", "user,id=net0,net=10.0.2.0/24,dhcpstart=10.0.2.15,hostfwd=tcp:127.0.0.1:1-:22" },
                  "isn't known" },
                { { "-netdev", LIMA("1-:22"), "-netdev", LIMA("2-:22") }, "more than one" },
                { { "-netdev", LIMA("1-:22"), "--netdev", "tap,id=b" }, "more than one" },
                { { "-netdev", LIMA("1-:22"), "-nic", "user" }, "'-nic'" },
                { { "-net", "user", "-netdev", LIMA("1-:22") }, "'-net'" },
                { { "--readconfig", "file", "-netdev", LIMA("1-:22") }, "'--readconfig'" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(strv_clear) struct strv out = STRV_INIT;
                _cleanup_(error_freep) struct error *err = NULL;
                uint16_t port = 0;

                assert_int_equal(arguments_rewrite(cases[i].arguments, &(struct arguments_wires){ .frames = 3 }, &out, &port,
                                                   &err),
                                 -1);
                assert_non_null(strstr(err->message, cases[i].message));
        }
}

/* NOLINTEND(bugprone-suspicious-missing-comma) */

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(questions_of_limas_are_known),
                cmocka_unit_test(limas_network_becomes_a_stream_and_all_else_stays),
                cmocka_unit_test(what_a_guest_says_goes_into_pipes),
                cmocka_unit_test(a_chardev_without_its_value_is_left_to_qemu),
                cmocka_unit_test(a_sandbox_of_the_users_stays_the_only_one),
                cmocka_unit_test(what_is_not_limas_one_network_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
