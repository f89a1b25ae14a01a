#include "lima/definition.h"

#include "lib/strbuf.h"
#include "vm/identity.h"

#define MIB (INT64_C(1) << 20)

static char *size_text(int64_t bytes)
{
        return xasprintf("%jdMiB", (intmax_t)((bytes + MIB - 1) / MIB));
}

static const char *console(const struct definition *definition)
{
        if (streq(definition->driver, "vz"))
                return "hvc0";
        return streq(definition->architecture, "aarch64") ? "ttyAMA0" : "ttyS0";
}

static json_t *image(const struct definition *definition)
{
        const struct image *source = definition->image;
        json_t *image = json_pack("{s:s, s:s}", "location", source->location, "arch", definition->architecture);

        _cleanup_(freep) char *machine_id = identity_machine_id(definition->record->uuid);
        _cleanup_(freep) char *command_line =
                xasprintf("root=/dev/vda rw console=%s quiet lsm=landlock,yama,apparmor SYSTEMD_COLORS=0 "
                          "systemd.show_status=true net.ifnames=0 machine.seed systemd.machine_id=%s systemd.hostname=%s",
                          console(definition), machine_id, definition->record->name);

        if (source->digest)
                json_object_set_new(image, "digest", json_string(source->digest));
        if (!source->kernel)
                return image;
        json_object_set_new(image, "kernel", json_pack("{s:s, s:s}", "location", source->kernel, "cmdline", command_line));
        json_object_set_new(image, "initrd", json_pack("{s:s}", "location", source->initrd));
        return image;
}

/*
 * The script that root runs in the guest at every boot. Lima goes on even if it fails. But without an identity our base image's
 * sshd doesn't start (guest/seed), and another image's sshd has a host key that isn't pinned, so the host notices. The reason
 * is on the console.
 */
static json_t *script(const struct definition *definition)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_adds(&text, "#!/bin/sh\nset -eu\n");
        if (definition->image->adoption)
                strbuf_addf(
                        &text,
                        "exec >/run/machine-adopt.log 2>&1\ntrap 'tail -n 20 /run/machine-adopt.log >/dev/console' EXIT\n%s",
                        definition->image->adoption);
        strbuf_adds(&text, "/usr/lib/machine/identity <<'END'\n");
        strbuf_adds(&text, definition->identity);
        strbuf_addf(&text, "END\necho '%s' >'/etc/ssh/authorized_keys/%s.engine'\n", definition->lima_key,
                    definition->record->user);
        if (definition->image->adoption)
                strbuf_adds(&text, "systemctl restart ssh\ntrap - EXIT\n");
        return json_pack("{s:s, s:s}", "mode", "system", "script", text.buf);
}

static void set_ports(json_t *definition, const struct vm_record *record)
{
        json_t *ports = json_array();

        for (size_t i = 0; i < record->port_count; i++)
                json_array_append_new(ports, json_pack("{s:s, s:i, s:s, s:i, s:s, s:b}", "guestIP", "127.0.0.1", "guestPort",
                                                       (int)record->ports[i].guest, "hostIP", "127.0.0.1", "hostPort",
                                                       (int)record->ports[i].host, "proto", "tcp", "static", 1));
        /* Lima appends a rule that forwards every port that anything in the guest listens on. The first rule that matches wins.
         */
        json_array_append_new(ports, json_pack("{s:s, s:b, s:s, s:b}", "guestIP", "0.0.0.0", "guestIPMustBeZero", 0, "proto",
                                               "any", "ignore", 1));
        json_object_set_new(definition, "portForwards", ports);
}

/* Lima's host agent would look up names for everybody on this computer, on a TCP and a UDP port of 127.0.0.1. The guest doesn't
 * need that: it asks its own network, as DHCP tells it to. */
static void set_names(json_t *definition)
{
        json_object_set_new(definition, "hostResolver", json_pack("{s:b}", "enabled", 0));
        json_object_set_new(definition, "dns", json_pack("[s]", "192.168.5.3"));
}

void definition_follow(json_t *definition, const struct vm_record *record)
{
        _cleanup_(freep) char *memory = size_text(record->memory_bytes);

        json_object_set_new(definition, "cpus", json_integer(record->cpus));
        json_object_set_new(definition, "memory", json_string(memory));
        set_ports(definition, record);
        set_names(definition);
}

void definition_set_ssh_port(json_t *definition, uint16_t port)
{
        json_object_set_new(json_object_get(definition, "ssh"), "localPort", json_integer(port));
}

char *definition_mark(const char *uuid)
{
        return xasprintf("machine %s", uuid);
}

json_t *definition_build(const struct definition *definition)
{
        const struct vm_record *record = definition->record;
        int64_t disk_bytes = record->disk_bytes > definition->image->bytes ? record->disk_bytes : definition->image->bytes;
        _cleanup_(freep) char *disk = size_text(disk_bytes);
        _cleanup_(freep) char *mark = definition_mark(record->uuid);
        _cleanup_(freep) char *home = xasprintf("/home/%s", record->user);
        /* A shell that every image has; the identity sets the record's. */
        _cleanup_(freep) char *shell = xasprintf("/bin/%s", definition->image->adoption ? "bash" : record->shell);
        json_t *root = json_pack("{s:s, s:s, s:s, s:b, s:s}", "minimumLimaVersion", "2.0.0", "vmType", definition->driver,
                                 "arch", definition->architecture, "plain", 1, "message", mark);

        json_object_set_new(root, "images", json_pack("[o]", image(definition)));
        json_object_set_new(root, "disk", json_string(disk));
        json_object_set_new(root, "user",
                            json_pack("{s:s, s:i, s:s, s:s}", "name", record->user, "uid", 1000, "home", home, "shell", shell));
        json_object_set_new(root, "mounts", json_array());
        json_object_set_new(root, "containerd", json_pack("{s:b, s:b}", "system", 0, "user", 0));
        json_object_set_new(root, "ssh",
                            json_pack("{s:i, s:b, s:b, s:b, s:b}", "localPort", 0, "loadDotSSHPubKeys", 0, "forwardAgent", 0,
                                      "forwardX11", 0, "forwardX11Trusted", 0));
        json_object_set_new(root, "propagateProxyEnv", json_false());
        json_object_set_new(root, "video", json_pack("{s:s}", "display", "none"));
        /* The kernel is started without firmware; EFI would only take longer. Only QEMU has another firmware. */
        json_object_set_new(root, "firmware",
                            json_pack("{s:b}", "legacyBIOS",
                                      streq(definition->driver, "qemu") && streq(definition->architecture, "x86_64")));
        json_object_set_new(root, "provision", json_pack("[o]", script(definition)));
        definition_follow(root, record);
        return root;
}

/* --- what Lima made of it */

static const struct expectation {
        const char *object, *key; /* object NULL = at the top */
        enum { IS_TRUE, IS_FALSE, IS_EMPTY } value;
        const char *meaning; /* of any other value */
} expectations[] = {
        { NULL, "plain", IS_TRUE, "Lima's agent runs in the guest and forwards its ports" },
        { NULL, "mounts", IS_EMPTY, "folders of this computer are mounted in the guest" },
        { NULL, "networks", IS_EMPTY, "the guest has further networks" },
        { NULL, "additionalDisks", IS_EMPTY, "the guest has further disks" },
        { NULL, "copyToHost", IS_EMPTY, "files of the guest are copied to this computer" },
        { NULL, "propagateProxyEnv", IS_FALSE, "the guest gets this computer's proxy settings" },
        { "containerd", "system", IS_FALSE, "containerd is installed" },
        { "containerd", "user", IS_FALSE, "containerd is installed" },
        { "hostResolver", "enabled", IS_FALSE, "Lima looks up names on ports of this computer" },
        { "ssh", "forwardAgent", IS_FALSE, "Lima forwards the ssh agent" },
        { "ssh", "loadDotSSHPubKeys", IS_FALSE, "keys in ~/.ssh can log in to the guest" },
        { "ssh", "forwardX11", IS_FALSE, "Lima forwards X11" },
};

static bool is_expected(const struct expectation *expectation, const json_t *value)
{
        switch (expectation->value) {
        case IS_TRUE:
                return json_is_true(value);
        case IS_FALSE:
                return json_is_false(value);
        case IS_EMPTY:
                return !value || json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);
        }
        return false;
}

static int check_port(const json_t *rule, struct error **err)
{
        const char *address = json_string_value(json_object_get(rule, "hostIP"));

        if (json_is_true(json_object_get(rule, "ignore")))
                return 0;
        if (!json_is_true(json_object_get(rule, "static")) || !address || !streq(address, "127.0.0.1"))
                return error_set(err, ERROR_ENGINE, "a port of the guest is forwarded, but should not be");
        return 0;
}

int definition_check(const json_t *config, struct error **err)
{
        const json_t *ports = json_object_get(config, "portForwards");

        for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
                const struct expectation *expectation = &expectations[i];
                const json_t *object = expectation->object ? json_object_get(config, expectation->object) : config;

                if (!is_expected(expectation, json_object_get(object, expectation->key)))
                        return error_set(err, ERROR_ENGINE, "%s (Lima's '%s%s%s')", expectation->meaning,
                                         expectation->object ? expectation->object : "", expectation->object ? "." : "",
                                         expectation->key);
        }
        for (size_t i = 0; i < json_array_size(ports); i++)
                if (check_port(json_array_get(ports, i), err) < 0)
                        return -1;
        return 0;
}
