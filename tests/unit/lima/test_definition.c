/* The definition of an instance: what it must say to keep the line, and what Lima must make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lima/confinement.h"
#include "lima/definition.h"

#define GIB (INT64_C(1) << 30)

static char name[] = "blog";
static char uuid[] = "0B5f2c1e-0000-4000-8000-000000000001";
static char user[] = "me";
static char shell[] = "zsh";
static struct vm_port port = { .host = 3000, .guest = 80 };
static struct vm_record record = {
        .name = name, .uuid = uuid, .user = user, .shell = shell, .cpus = 3, .memory_bytes = 2 * GIB, .disk_bytes = 8 * GIB
};

static json_t *build(const char *driver, const char *architecture, int64_t image_bytes)
{
        const struct image image = {
                .location = "/layer/disk.qcow2", .kernel = "/layer/vmlinuz", .initrd = "/layer/initrd", .bytes = image_bytes
        };

        return definition_build(&(struct definition){
                .record = &record,
                .driver = driver,
                .architecture = architecture,
                .image = &image,
                .identity = "hostname blog\nhost-key UFJJ\n",
                .lima_key = "ssh-ed25519 AAAA lima",
        });
}

static const char *text(const json_t *object, const char *key)
{
        return json_string_value(json_object_get(object, key));
}

static const json_t *first(const json_t *object, const char *key)
{
        return json_array_get(json_object_get(object, key), 0);
}

static void it_says_what_the_record_says(void **state)
{
        _cleanup_(json_decrefp) json_t *definition = build("qemu", "x86_64", 3 * GIB);
        const json_t *who = json_object_get(definition, "user");

        assert_string_equal(text(definition, "message"), "machine 0B5f2c1e-0000-4000-8000-000000000001");
        assert_string_equal(text(definition, "vmType"), "qemu");
        assert_string_equal(text(definition, "memory"), "2048MiB");
        assert_string_equal(text(definition, "disk"), "8192MiB");
        assert_int_equal(json_integer_value(json_object_get(definition, "cpus")), 3);
        assert_string_equal(text(who, "name"), "me");
        assert_string_equal(text(who, "home"), "/home/me");
        assert_string_equal(text(who, "shell"), "/bin/zsh");
        assert_int_equal(json_integer_value(json_object_get(who, "uid")), 1000);
}

static void the_disk_is_not_smaller_than_the_image_and_whole_in_mib(void **state)
{
        _cleanup_(json_decrefp) json_t *definition = build("qemu", "x86_64", 9 * GIB + 1);

        assert_string_equal(text(definition, "disk"), "9217MiB");
}

static void the_kernel_is_told_who_it_is_and_where_to_read_on(void **state)
{
        static const struct {
                const char *driver, *architecture, *console;
                bool bios;
        } cases[] = {
                { "qemu", "x86_64", "console=ttyS0 ", true },
                { "qemu", "aarch64", "console=ttyAMA0 ", false },
                { "vz", "x86_64", "console=hvc0 ", false },
                { "vz", "aarch64", "console=hvc0 ", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(json_decrefp) json_t *definition = build(cases[i].driver, cases[i].architecture, GIB);
                const json_t *kernel = json_object_get(first(definition, "images"), "kernel");
                const char *line = text(kernel, "cmdline");

                assert_string_equal(text(first(definition, "images"), "location"), "/layer/disk.qcow2");
                assert_string_equal(text(kernel, "location"), "/layer/vmlinuz");
                assert_non_null(strstr(line, cases[i].console));
                assert_non_null(strstr(line, " machine.seed "));
                assert_non_null(strstr(line, " systemd.machine_id=0b5f2c1e000040008000000000000001 "));
                assert_non_null(strstr(line, " systemd.hostname=blog"));
                assert_int_equal(json_is_true(json_object_get(json_object_get(definition, "firmware"), "legacyBIOS")),
                                 cases[i].bios);
        }
}

static void the_script_hands_the_identity_over_and_ends_at_a_failure(void **state)
{
        _cleanup_(json_decrefp) json_t *definition = build("qemu", "x86_64", GIB);

        assert_string_equal(text(first(definition, "provision"), "mode"), "system");
        assert_string_equal(text(first(definition, "provision"), "script"),
                            "#!/bin/sh\nset -eu\n/usr/lib/machine/identity <<'END'\nhostname blog\nhost-key UFJJ\nEND\n"
                            "echo 'ssh-ed25519 AAAA lima' >'/etc/ssh/authorized_keys/me.engine'\n");
}

static void an_image_of_somebody_elses_starts_by_itself_and_is_adopted_first(void **state)
{
        char adoption[] = "adopt it\n";
        const struct image source = { .location = "https://example.org/d.qcow2", .digest = "sha512:ab", .adoption = adoption };
        _cleanup_(json_decrefp) json_t *definition = definition_build(&(struct definition){
                .record = &record,
                .driver = "vz",
                .architecture = "aarch64",
                .image = &source,
                .identity = "hostname blog\n",
                .lima_key = "ssh-ed25519 AAAA lima",
        });
        const json_t *image = first(definition, "images");
        const char *script = text(first(definition, "provision"), "script");

        assert_string_equal(text(image, "location"), "https://example.org/d.qcow2");
        assert_string_equal(text(image, "digest"), "sha512:ab");
        assert_null(json_object_get(image, "kernel"));
        assert_null(json_object_get(image, "initrd"));
        assert_string_equal(text(json_object_get(definition, "user"), "shell"), "/bin/bash");
        assert_true(strstr(script, "set -eu\n") < strstr(script, "adopt it\n"));
        assert_true(strstr(script, "adopt it\n") < strstr(script, "/usr/lib/machine/identity"));
        assert_true(strstr(script, "me.engine'\n") < strstr(script, "systemctl restart ssh\n"));
        assert_int_equal(definition_check(definition, NULL), 0);
}

static void it_follows_the_record_and_forwards_no_port_but_its(void **state)
{
        _cleanup_(json_decrefp) json_t *definition = build("qemu", "x86_64", GIB);
        struct vm_record changed = record;
        const json_t *ports;

        assert_int_equal(json_array_size(json_object_get(definition, "portForwards")), 1);
        changed.ports = &port;
        changed.port_count = 1;
        changed.cpus = record.cpus + 1;
        changed.memory_bytes = 2 * GIB;
        definition_follow(definition, &changed);
        assert_int_equal(json_integer_value(json_object_get(definition, "cpus")), record.cpus + 1);
        assert_string_equal(text(definition, "memory"), "2048MiB");
        ports = json_object_get(definition, "portForwards");
        assert_int_equal(json_array_size(ports), 2);
        assert_string_equal(text(json_array_get(ports, 0), "hostIP"), "127.0.0.1");
        assert_int_equal(json_integer_value(json_object_get(json_array_get(ports, 0), "hostPort")), 3000);
        assert_int_equal(json_integer_value(json_object_get(json_array_get(ports, 0), "guestPort")), 80);
        assert_true(json_is_true(json_object_get(json_array_get(ports, 0), "static")));
        /* The last rule covers all other ports, also those on the guest's loopback. */
        assert_true(json_is_true(json_object_get(json_array_get(ports, 1), "ignore")));
        assert_string_equal(text(json_array_get(ports, 1), "guestIP"), "0.0.0.0");
        assert_true(json_is_false(json_object_get(json_array_get(ports, 1), "guestIPMustBeZero")));
        assert_string_equal(text(json_array_get(ports, 1), "proto"), "any");
        definition_follow(definition, &record);
        assert_int_equal(json_array_size(json_object_get(definition, "portForwards")), 1);
}

static void what_is_written_is_what_is_wanted(void **state)
{
        _cleanup_(json_decrefp) json_t *definition = build("qemu", "x86_64", GIB);

        assert_int_equal(definition_check(definition, NULL), 0);
}

static void each_thing_that_weakens_the_line_is_named(void **state)
{
        static const struct {
                const char *object, *key, *value, *named;
        } cases[] = {
                { NULL, "plain", "false", "Lima's 'plain'" },
                { NULL, "plain", "null", "Lima's 'plain'" },
                { NULL, "mounts", "[{\"location\": \"~\"}]", "folders of this computer are mounted" },
                { NULL, "networks", "[{\"vzNAT\": true}]", "further networks" },
                { NULL, "additionalDisks", "[\"data\"]", "further disks" },
                { NULL, "copyToHost", "[{}]", "files of the guest" },
                { NULL, "propagateProxyEnv", "true", "proxy settings" },
                { "containerd", "user", "true", "Lima's 'containerd.user'" },
                { "containerd", "system", "null", "Lima's 'containerd.system'" },
                { "ssh", "forwardAgent", "true", "ssh agent" },
                { "ssh", "loadDotSSHPubKeys", "true", "keys in ~/.ssh" },
                { "ssh", "forwardX11", "true", "X11" },
                { NULL, "portForwards", "[{\"guestPort\": 80, \"hostIP\": \"127.0.0.1\"}]", "a port of the guest" },
                { NULL, "portForwards", "[{\"static\": true, \"hostIP\": \"0.0.0.0\"}]", "a port of the guest" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(json_decrefp) json_t *definition = build("qemu", "x86_64", GIB);
                json_t *object = cases[i].object ? json_object_get(definition, cases[i].object) : definition;
                _cleanup_(error_freep) struct error *err = NULL;

                json_object_set_new(object, cases[i].key, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
                assert_int_equal(definition_check(definition, &err), -1);
                if (!strstr(err->message, cases[i].named))
                        fail_msg("'%s' does not say '%s'", err->message, cases[i].named);
                assert_int_equal(err->kind, ERROR_ENGINE);
        }
}

/* How macOS applies it was not tested. What this program can get wrong is the port, which must be the same in both. */
static void the_macs_profile_leaves_of_the_loopback_the_port_that_lima_is_given(void **state)
{
        _cleanup_(json_decrefp) json_t *definition = build("vz", "aarch64", GIB);
        const json_t *ssh = json_object_get(definition, "ssh");
        _cleanup_(strbuf_clear) struct strbuf profile = STRBUF_INIT;
        const char *denied, *left;

        assert_int_equal(json_integer_value(json_object_get(ssh, "localPort")), 0);
        definition_set_ssh_port(definition, 60022);
        assert_int_equal(json_integer_value(json_object_get(ssh, "localPort")), 60022);
        confinement_profile(60022, &profile);
        denied = strstr(profile.buf, "(deny network-outbound (remote ip \"localhost:*\"))");
        left = strstr(profile.buf, "(allow network-outbound (remote tcp \"localhost:60022\"))");
        assert_non_null(denied);
        /* The last matching rule counts. */
        assert_true(left > denied);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_says_what_the_record_says),
                cmocka_unit_test(the_disk_is_not_smaller_than_the_image_and_whole_in_mib),
                cmocka_unit_test(the_kernel_is_told_who_it_is_and_where_to_read_on),
                cmocka_unit_test(the_script_hands_the_identity_over_and_ends_at_a_failure),
                cmocka_unit_test(an_image_of_somebody_elses_starts_by_itself_and_is_adopted_first),
                cmocka_unit_test(it_follows_the_record_and_forwards_no_port_but_its),
                cmocka_unit_test(what_is_written_is_what_is_wanted),
                cmocka_unit_test(each_thing_that_weakens_the_line_is_named),
                cmocka_unit_test(the_macs_profile_leaves_of_the_loopback_the_port_that_lima_is_given),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
