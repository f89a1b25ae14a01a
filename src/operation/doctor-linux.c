#include <unistd.h>

#include "host/walls.h"
#include "lib/confine.h"
#include "lib/file.h"
#include "lib/os.h"
#include "lib/process.h"
#include "operation/doctor-system.h"

const struct doctor_tool doctor_tools[] = {
        { "ssh", DOCTOR_BAD, "every session", "sudo apt-get install openssh-client" },
        { "ssh-keygen", DOCTOR_BAD, "keys of VMs", "sudo apt-get install openssh-client" },
        { "git", DOCTOR_BAD, "repos", "sudo apt-get install git" },
        { "curl", DOCTOR_BAD, "downloads of recipes", "sudo apt-get install curl" },
        { "qemu-img", DOCTOR_BAD, "disks of VMs", "sudo apt-get install qemu-utils" },
        { "mmdebstrap", DOCTOR_BAD, "the base image", "sudo apt-get install mmdebstrap" },
        { "mke2fs", DOCTOR_BAD, "the base image", "sudo apt-get install e2fsprogs" },
        { "bwrap", DOCTOR_WARNING, "a second wall around QEMU", "sudo apt-get install bubblewrap" },
        { "newuidmap", DOCTOR_WARNING, "the base image, as a plain user", "sudo apt-get install uidmap" },
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

/* Checks what confines the processes that a guest reaches, beside QEMU's bubblewrap (a tool above). */
static void check_seccomp(struct doctor *doctor)
{
        if (!sysctl_is("/proc/sys/kernel/seccomp/actions_avail", 'k'))
                doctor_say(doctor, DOCTOR_BAD, "seccomp", NULL,
                           "the kernel doesn't have it, and machine-net does not start without it");
        else
                doctor_say(doctor, DOCTOR_GOOD, "seccomp", NULL,
                           "machine-net, machine-keys and QEMU may make few system calls");
}

static void check_landlock(struct doctor *doctor)
{
        int version = os_landlock();

        if (version == 0)
                doctor_say(
                        doctor, DOCTOR_WARNING, "landlock",
                        "boot with 'landlock' in the kernel's lsm= parameter (Linux 5.13 or later)",
                        "the kernel doesn't have it: only the list of system calls keeps machine-net and machine-keys off files");
        else
                doctor_say(doctor, DOCTOR_GOOD, "landlock", NULL, "version %d%s", version,
                           version < CONFINE_SCOPES ? " (version 6 also keeps signals in)" : "");
}

/* Asks the helper itself. */
static void check_keys_helper(struct doctor *doctor)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *text = NULL;
        struct walls walls;

        if (walls_of_helper("machine-keys", &walls, &error) == 0)
                return;
        text = error_text(error);
        doctor_say(doctor, DOCTOR_BAD, "machine-keys", error->hint, "%s", text);
}

static void check_walls(struct doctor *doctor)
{
        check_seccomp(doctor);
        check_landlock(doctor);
        check_keys_helper(doctor);
}

/* A plain user's base image is made in a user namespace; Ubuntu and hardened kernels forbid these in three ways. */
void doctor_check_system(struct doctor *doctor)
{
        static const char *const unshare[] = { "unshare", "--user", "--map-root-user", "true", NULL };
        _cleanup_(error_freep) struct error *error = NULL;
        const char *user = getenv("USER") ? getenv("USER") : getlogin();

        check_walls(doctor);
        if (sysctl_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
                doctor_say(
                        doctor, geteuid() == 0 ? DOCTOR_GOOD : DOCTOR_WARNING, "user namespaces",
                        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
                        "AppArmor lets only programs with a profile use them (mmdebstrap and bwrap have one on Ubuntu 24.04 and later)");
        else if (sysctl_is("/proc/sys/kernel/unprivileged_userns_clone", '0'))
                doctor_say(doctor, geteuid() == 0 ? DOCTOR_GOOD : DOCTOR_BAD, "user namespaces",
                           "sudo sysctl kernel.unprivileged_userns_clone=1", "the kernel allows them only for root");
        else if (process_check(&(struct process_spec){ .argv = unshare, .timeout_ms = 5000 }, NULL, &error) < 0)
                doctor_say(doctor, geteuid() == 0 ? DOCTOR_WARNING : DOCTOR_BAD, "user namespaces",
                           "sudo sysctl user.max_user_namespaces=15000",
                           "cannot be made: the base image can't be built by a plain user, and QEMU runs without bubblewrap");
        else
                doctor_say(doctor, DOCTOR_GOOD, "user namespaces", NULL, "can be made");
        if (geteuid() == 0 || !user)
                return;
        if (!has_subordinate_ids("/etc/subuid", user) || !has_subordinate_ids("/etc/subgid", user)) {
                _cleanup_(freep) char *hint =
                        xasprintf("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s", user);

                doctor_say(doctor, DOCTOR_BAD, "subordinate ids", hint, "'%s' has none in /etc/subuid and /etc/subgid", user);
        } else {
                doctor_say(doctor, DOCTOR_GOOD, "subordinate ids", NULL, "'%s' has them", user);
        }
}
