/* bubblewrap's command line: it shows only the named files of the host, and QEMU outlives us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qemu/sandbox.h"

static bool binds(const struct strv *argv, const char *option, const char *path)
{
        for (size_t i = 0; i + 2 < argv->count; i++)
                if (streq(argv->items[i], option) && streq(argv->items[i + 1], path) && streq(argv->items[i + 2], path))
                        return true;
        return false;
}

static void build(bool kvm, const char *qemu, struct strv *argv)
{
        _cleanup_(sandbox_clear) struct sandbox sandbox = { .program = "/usr/bin/bwrap", .qemu = qemu, .kvm = kvm };

        strv_add(&sandbox.read_only, "/layers/k");
        strv_adds(&sandbox.writable, "/vms/blog/disk.qcow2", "/vms/blog/qemu/agent.in", NULL);
        sandbox_build(&sandbox, argv);
}

static void only_what_was_named_is_there(void **state)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        size_t writable = 0;

        build(false, "/usr/bin/qemu-system-x86_64", &argv);
        assert_string_equal(argv.items[0], "/usr/bin/bwrap");
        assert_string_equal(argv.items[argv.count - 1], "--");
        assert_true(strv_contains(&argv, "--unshare-all"));
        assert_true(binds(&argv, "--ro-bind", "/usr"));
        assert_true(binds(&argv, "--ro-bind", "/layers/k"));
        assert_true(binds(&argv, "--bind", "/vms/blog/disk.qcow2"));
        assert_true(binds(&argv, "--bind", "/vms/blog/qemu/agent.in"));
        for (size_t i = 0; i < argv.count; i++) {
                writable += streq(argv.items[i], "--bind");
                assert_string_not_equal(argv.items[i], "--share-net");
                assert_string_not_equal(argv.items[i], "--dev-bind");
                assert_string_not_equal(argv.items[i], "/home");
        }
        assert_int_equal(writable, 2);
}

static void it_does_not_end_with_us(void **state)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        build(false, "/usr/bin/qemu-system-x86_64", &argv);
        assert_false(strv_contains(&argv, "--die-with-parent"));
}

static void only_kvm_needs_the_device(void **state)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        build(true, "/usr/bin/qemu-system-x86_64", &argv);
        assert_true(binds(&argv, "--dev-bind", "/dev/kvm"));
}

static void a_qemu_elsewhere_brings_its_folder(void **state)
{
        _cleanup_(strv_clear) struct strv elsewhere = STRV_INIT;
        _cleanup_(strv_clear) struct strv usual = STRV_INIT;

        build(false, "/opt/qemu/bin/qemu-system-x86_64", &elsewhere);
        assert_true(binds(&elsewhere, "--ro-bind", "/opt/qemu"));
        build(false, "/bin/qemu-system-x86_64", &usual);
        assert_false(binds(&usual, "--ro-bind", "/"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_what_was_named_is_there),
                cmocka_unit_test(it_does_not_end_with_us),
                cmocka_unit_test(only_kvm_needs_the_device),
                cmocka_unit_test(a_qemu_elsewhere_brings_its_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
