#include <unistd.h>

#include "command/doctor.h"
#include "lib/file.h"
#include "lib/process.h"

const struct doctor_tool doctor_tools[] = {
        { "ssh", BAD, "every session", "sudo apt-get install openssh-client" },
        { "ssh-keygen", BAD, "keys of VMs", "sudo apt-get install openssh-client" },
        { "git", BAD, "repos", "sudo apt-get install git" },
        { "qemu-img", BAD, "disks of VMs", "sudo apt-get install qemu-utils" },
        { "mmdebstrap", BAD, "the base image", "sudo apt-get install mmdebstrap" },
        { "mke2fs", BAD, "the base image", "sudo apt-get install e2fsprogs" },
        { "bwrap", WARNING, "a second wall around QEMU", "sudo apt-get install bubblewrap" },
        { "newuidmap", WARNING, "the base image, as a plain user", "sudo apt-get install uidmap" },
        { 0 },
};

const char *const doctor_helpers[] = { "machine-keys", "machine-net", "machine-shim", NULL };

static bool sysctl_is(const char *path, char value)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        return file_read(path, 64, &text, NULL) == 0 && text.len > 0 && text.buf[0] == value;
}

static bool has_subordinate_ids(const char *file, const char *user)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *line = xasprintf("%s:", user);
        _cleanup_(freep) char *later = xasprintf("\n%s:", user);

        return file_read(file, 1 << 20, &text, NULL) == 0 && (starts_with(text.buf, line) || strstr(text.buf, later));
}

/* The base image of a plain user is made in a user namespace; Ubuntu and hardened kernels forbid them in three ways. */
void doctor_check_system(struct report *report)
{
        static const char *const unshare[] = { "unshare", "--user", "--map-root-user", "true", NULL };
        _cleanup_(error_freep) struct error *error = NULL;
        const char *user = getenv("USER") ? getenv("USER") : getlogin();

        if (sysctl_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
                doctor_say(
                        report, geteuid() == 0 ? GOOD : WARNING, "user namespaces",
                        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
                        "AppArmor lets only programs with a profile use them (mmdebstrap and bwrap have one on Ubuntu 24.04 and later)");
        else if (sysctl_is("/proc/sys/kernel/unprivileged_userns_clone", '0'))
                doctor_say(report, geteuid() == 0 ? GOOD : BAD, "user namespaces",
                           "sudo sysctl kernel.unprivileged_userns_clone=1", "the kernel keeps them for root");
        else if (process_check(&(struct process_spec){ .argv = unshare, .timeout_ms = 5000 }, NULL, &error) < 0)
                doctor_say(report, geteuid() == 0 ? WARNING : BAD, "user namespaces",
                           "sudo sysctl user.max_user_namespaces=15000",
                           "cannot be made: the base image can't be built by a plain user, and QEMU runs without bubblewrap");
        else
                doctor_say(report, GOOD, "user namespaces", NULL, "can be made");
        if (geteuid() == 0 || !user)
                return;
        if (!has_subordinate_ids("/etc/subuid", user) || !has_subordinate_ids("/etc/subgid", user)) {
                _cleanup_(freep) char *hint =
                        xasprintf("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s", user);

                doctor_say(report, BAD, "subordinate ids", hint, "'%s' has none in /etc/subuid and /etc/subgid", user);
        } else {
                doctor_say(report, GOOD, "subordinate ids", NULL, "'%s' has them", user);
        }
}
