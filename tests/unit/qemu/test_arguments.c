/* QEMU's command line: what it must have and must never have, and what QEMU says about itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/json.h"
#include "qemu/arguments.h"

static const struct arguments usual = {
        .architecture = ARCHITECTURE_X86_64,
        .program = "/usr/bin/qemu-system-x86_64",
        .machine = "pc-q35-7.2",
        .kvm = true,
        .name = "blog",
        .cpus = 4,
        .memory_bytes = INT64_C(2) << 30,
        .kernel = "/layers/k/vmlinuz",
        .initrd = "/layers/k/initrd",
        .disk = "/vms/blog/disk.qcow2",
        .uuid = "0B5f2c1e-0000-4000-8000-000000000001",
        .agent_pipe = "/run/blog/agent",
        .console = "/vms/blog/logs/console.log",
        .identity = "/dev/fd/5",
        .frames_fd = 3,
        .qmp_fd = 7,
        .look_fd = 8,
};

/* Is `option` in argv, followed by `value`? */
static bool has(const struct strv *argv, const char *option, const char *value)
{
        for (size_t i = 0; i + 1 < argv->count; i++)
                if (streq(argv->items[i], option) && streq(argv->items[i + 1], value))
                        return true;
        return false;
}

static const char *value_of(const struct strv *argv, const char *option)
{
        for (size_t i = 0; i + 1 < argv->count; i++)
                if (streq(argv->items[i], option))
                        return argv->items[i + 1];
        return "";
}

static void the_machine_is_pinned_and_walled_in(void **state)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        arguments_build(&usual, &argv);
        assert_string_equal(argv.items[0], "/usr/bin/qemu-system-x86_64");
        assert_true(has(&argv, "-machine", "pc-q35-7.2,memory-backend=ram,dump-guest-core=off"));
        assert_true(has(&argv, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"));
        assert_true(strv_contains(&argv, "-nodefaults"));
        assert_true(strv_contains(&argv, "-no-user-config"));
        assert_true(has(&argv, "-display", "none"));
        assert_true(has(&argv, "-smp", "4"));
        assert_true(has(&argv, "-m", "size=2147483648B"));
        assert_true(has(&argv, "-object", "memory-backend-ram,id=ram,size=2147483648B,share=off"));
        assert_true(has(&argv, "-device", "vmgenid,guid=auto"));
        assert_true(has(&argv, "-fw_cfg", "name=opt/machine/identity,file=/dev/fd/5"));
}

static void the_guest_knows_its_disk_address_and_name_from_the_kernel_line(void **state)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        const char *line;

        arguments_build(&usual, &argv);
        assert_true(has(&argv, "-kernel", "/layers/k/vmlinuz"));
        assert_true(has(&argv, "-initrd", "/layers/k/initrd"));
        line = value_of(&argv, "-append");
        assert_non_null(strstr(line, "root=/dev/vda rw "));
        assert_non_null(strstr(line, " console=ttyS0 "));
        assert_non_null(strstr(line, " ip=10.0.2.15::10.0.2.2:255.255.255.0:blog:eth0:off "));
        assert_non_null(strstr(line, " systemd.machine_id=0b5f2c1e000040008000000000000001 "));
}

static void kvm_or_emulation_with_the_fitting_processor(void **state)
{
        _cleanup_(strv_clear) struct strv kvm = STRV_INIT;
        _cleanup_(strv_clear) struct strv emulated = STRV_INIT;
        struct arguments arguments = usual;

        arguments_build(&arguments, &kvm);
        arguments.kvm = false;
        arguments_build(&arguments, &emulated);
        assert_true(has(&kvm, "-accel", "kvm"));
        assert_true(has(&kvm, "-cpu", "host"));
        assert_true(starts_with(value_of(&emulated, "-accel"), "tcg,thread=multi"));
        assert_true(starts_with(value_of(&emulated, "-cpu"), "max"));
}

static void the_other_architecture_has_its_own_machine_and_console(void **state)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        struct arguments arguments = usual;

        arguments.architecture = ARCHITECTURE_AARCH64;
        arguments.machine = "virt-7.2";
        arguments_build(&arguments, &argv);
        assert_true(has(&argv, "-machine", "virt-7.2,gic-version=max,memory-backend=ram,dump-guest-core=off"));
        assert_non_null(strstr(value_of(&argv, "-append"), " console=ttyAMA0 "));
        assert_false(has(&argv, "-device", "vmgenid,guid=auto"));
        assert_string_equal(arguments_program_name(ARCHITECTURE_AARCH64), "qemu-system-aarch64");
}

static void the_network_is_an_inherited_descriptor_and_nothing_listens_on_tcp(void **state)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        size_t networks = 0;

        arguments_build(&usual, &argv);
        for (size_t i = 0; i < argv.count; i++) {
                networks += streq(argv.items[i], "-netdev") || streq(argv.items[i], "-nic") || streq(argv.items[i], "-net");
                assert_null(strstr(argv.items[i], "tcp:"));
                assert_null(strstr(argv.items[i], "hostfwd"));
                assert_null(strstr(argv.items[i], "host="));
                assert_false(streq(argv.items[i], "-vnc") || streq(argv.items[i], "-monitor") || streq(argv.items[i], "-gdb"));
        }
        assert_int_equal(networks, 1);
        assert_true(has(&argv, "-netdev", "stream,id=net,server=on,addr.type=fd,addr.str=3"));
}

static void a_path_is_never_taken_for_an_option(void **state)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(json_decrefp) json_t *disk = NULL;
        struct arguments arguments = usual;
        const char *text;

        arguments.disk = "/vms/a,b\"c/disk.qcow2";
        arguments.agent_pipe = "/run/a,mux=on/agent";
        arguments.console = "/vms/a,b/console.log";
        arguments_build(&arguments, &argv);
        assert_true(has(&argv, "-chardev", "pipe,id=agent,path=/run/a,,mux=on/agent"));
        assert_true(has(&argv, "-chardev", "file,id=console,path=/vms/a,,b/console.log"));
        text = value_of(&argv, "-blockdev");
        disk = json_parse(text, strlen(text), "the disk", NULL);
        assert_string_equal(json_string_value(json_object_get(json_object_get(disk, "file"), "filename")),
                            "/vms/a,b\"c/disk.qcow2");
        assert_string_equal(json_string_value(json_object_get(disk, "driver")), "qcow2");
        assert_string_equal(json_string_value(json_object_get(disk, "discard")), "unmap");
}

static void memory_can_be_a_file_that_a_fork_maps_privately(void **state)
{
        _cleanup_(strv_clear) struct strv template = STRV_INIT;
        _cleanup_(strv_clear) struct strv restored = STRV_INIT;
        struct arguments arguments = usual;

        arguments.memory_file = "/layers/a,b/memory";
        arguments.memory_shared = true;
        arguments.resume_fd = 8;
        arguments_build(&arguments, &template);
        arguments.memory_shared = false;
        arguments.memory_read_only = true;
        arguments.incoming = true;
        arguments_build(&arguments, &restored);
        assert_true(
                has(&template, "-object", "memory-backend-file,id=ram,size=2147483648B,share=on,mem-path=/layers/a,,b/memory"));
        assert_false(strv_contains(&template, "-incoming"));
        assert_true(has(&restored, "-object",
                        "memory-backend-file,id=ram,size=2147483648B,share=off,mem-path=/layers/a,,b/memory,"
                        "readonly=on,rom=off"));
        assert_true(has(&restored, "-incoming", "defer"));
        assert_true(has(&restored, "-device", "virtserialport,chardev=resume,name=org.machine.resume"));
}

static size_t count_of(const struct strv *argv, const char *value)
{
        size_t count = 0;

        for (size_t i = 0; i < argv->count; i++)
                count += streq(argv->items[i], value);
        return count;
}

/* A template's memory is a file that others share, and giving back a piece of that would make a hole in it. */
static void free_memory_is_given_back_only_where_it_is_nobody_elses(void **state)
{
        static const char balloon[] = "virtio-balloon-pci,free-page-reporting=on";
        _cleanup_(strv_clear) struct strv cold = STRV_INIT;
        _cleanup_(strv_clear) struct strv warm = STRV_INIT;
        struct arguments arguments = usual;

        arguments_build(&arguments, &cold);
        arguments.memory_file = "/layers/k/memory";
        for (int restored = 0; restored < 2; restored++) {
                arguments.memory_shared = !restored;
                arguments.memory_read_only = arguments.incoming = restored;
                arguments_build(&arguments, &warm);
        }
        assert_int_equal(count_of(&cold, balloon), 1);
        for (size_t i = 0; i < warm.count; i++)
                assert_null(strstr(warm.items[i], "balloon"));
        /* All other devices have the same place on the bus, so the last one it must be. */
        assert_string_equal(cold.items[cold.count - 1], balloon);
}

/* What the guest removes is given back in the format, and below that in the file. */
static void the_disk_takes_what_the_guest_gives_back(void **state)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(json_decrefp) json_t *disk = NULL;
        const char *text;

        arguments_build(&usual, &argv);
        text = value_of(&argv, "-blockdev");
        disk = json_parse(text, strlen(text), "the disk", NULL);
        assert_string_equal(json_string_value(json_object_get(disk, "discard")), "unmap");
        assert_null(json_object_get(json_object_get(disk, "file"), "discard"));
        assert_null(json_object_get(disk, "detect-zeroes"));
        for (size_t i = 0; i < argv.count; i++)
                assert_null(strstr(argv.items[i], "discard=off"));
}

/* Otherwise one can't load what the other saved. */
static void a_template_and_what_is_restored_from_it_have_the_same_devices(void **state)
{
        _cleanup_(strv_clear) struct strv template = STRV_INIT;
        _cleanup_(strv_clear) struct strv restored = STRV_INIT;
        _cleanup_(strv_clear) struct strv devices = STRV_INIT;
        struct arguments arguments = usual;

        arguments.memory_file = "/layers/k/memory";
        arguments.resume_fd = 8;
        arguments.memory_shared = true;
        arguments_build(&arguments, &template);
        arguments.memory_shared = false;
        arguments.incoming = true;
        arguments.name = "shop";
        arguments.uuid = "1B5f2c1e-0000-4000-8000-000000000002";
        arguments.disk = "/vms/shop/disk.qcow2";
        arguments_build(&arguments, &restored);
        for (size_t i = 0; i + 1 < template.count; i++)
                if (streq(template.items[i], "-device"))
                        strv_add(&devices, template.items[i + 1]);
        assert_true(devices.count > 4);
        for (size_t i = 0, found = 0; i + 1 < restored.count; i++)
                if (streq(restored.items[i], "-device")) {
                        assert_true(found < devices.count);
                        assert_true(streq_ptr(restored.items[i + 1], strv_argv(&devices)[found++]));
                }
}

static void the_versioned_machine_is_found_in_qemus_list(void **state)
{
        static const char help[] = "Supported machines are:\n"
                                   "microvm              microvm (i386)\n"
                                   "pc                   Standard PC (i440FX + PIIX, 1996) (alias of pc-i440fx-10.0)\n"
                                   "q35                  Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-10.0)\n"
                                   "pc-q35-9.2           Standard PC (Q35 + ICH9, 2009)\n"
                                   "none                 empty machine";
        _cleanup_(freep) char *q35 = arguments_parse_machine(help, "q35");

        assert_string_equal(q35, "pc-q35-10.0");
        assert_null(arguments_parse_machine(help, "virt"));
        assert_null(arguments_parse_machine(help, "none"));
        assert_null(arguments_parse_machine("", "q35"));
        assert_null(arguments_parse_machine("q35  \npc (alias of pc-1)\n", "q35"));
}

static void the_version_is_found_in_what_qemu_says(void **state)
{
        static const char *const others[] = { "", "QEMU emulator", "version x.y", "version 7", "version 9999.1" };
        _cleanup_(freep) char *version = NULL;
        int major = 0;
        int minor = 0;

        version = arguments_parse_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright", &major,
                                          &minor);
        assert_string_equal(version, "7.2.22");
        assert_int_equal(major, 7);
        assert_int_equal(minor, 2);
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                assert_null(arguments_parse_version(others[i], &major, &minor));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_machine_is_pinned_and_walled_in),
                cmocka_unit_test(the_guest_knows_its_disk_address_and_name_from_the_kernel_line),
                cmocka_unit_test(kvm_or_emulation_with_the_fitting_processor),
                cmocka_unit_test(the_other_architecture_has_its_own_machine_and_console),
                cmocka_unit_test(the_network_is_an_inherited_descriptor_and_nothing_listens_on_tcp),
                cmocka_unit_test(a_path_is_never_taken_for_an_option),
                cmocka_unit_test(memory_can_be_a_file_that_a_fork_maps_privately),
                cmocka_unit_test(free_memory_is_given_back_only_where_it_is_nobody_elses),
                cmocka_unit_test(the_disk_takes_what_the_guest_gives_back),
                cmocka_unit_test(a_template_and_what_is_restored_from_it_have_the_same_devices),
                cmocka_unit_test(the_versioned_machine_is_found_in_qemus_list),
                cmocka_unit_test(the_version_is_found_in_what_qemu_says),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
