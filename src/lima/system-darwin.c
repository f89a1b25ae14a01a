/* On macOS Lima's driver is Apple's Virtualization.framework (vz), which runs the guest inside Lima's host agent. */
#include "lima/system.h"

#include <unistd.h>

#include "lib/file.h"
#include "lima/confinement.h"
#include "vm/ports.h"

/* It has been deprecated for years, but every macOS has it, and others confine their agents with it. */
#define SANDBOX_EXEC "/usr/bin/sandbox-exec"

const struct system_tool system_tools[] = {
        { NULL, NULL }, /* ssh is macOS's own */
};

const char system_driver[] = "vz";

/* The plain one of Debian 13's cloud images. A mirror keeps a dated one for some months; after that, `image` names another. */
#define IMAGES "https://cloud.debian.org/images/cloud/trixie/20260712-2537/debian-13-genericcloud-"
const struct system_image system_image = {
#ifdef __aarch64__
        .location = IMAGES "arm64-20260712-2537.qcow2",
        .digest = "sha512:8543d795f2fde630eb66c492f245a8c1da19dedc636e0a8e7b3d0f95920e1a05aa911ef2d82d177d41cc53ced5fccbd2"
                  "a3945d07fa5e15018914c4d864bb07ed",
#else
        .location = IMAGES "amd64-20260712-2537.qcow2",
        .digest = "sha512:7ae53e9dbee282bfc16f289dec483dde3a8598769c38a267948310f7a2a52c662620198603bc52c142627efba379863d"
                  "16079698a10b34102d55bcedd40e8d32",
#endif
};

void system_find_acceleration(struct engine_probe *out)
{
        out->acceleration = xstrdup("vz");
}

const struct weaker_line system_weaker[] = {
        { "host-loopback", "the guest reaches services on this computer's 127.0.0.1", false },
        { "lan", "the guest reaches the network around this computer", true },
        { "egress", "no rules limit what the guest reaches", false },
        { "ssh-port", "the guest's sshd has a port on 127.0.0.1, which other users of this computer can connect to", false },
        { "confinement", "the process that runs the guest has the same network and files as any program of yours", false },
        { "shared-key", "one key of Lima, which is only on this computer, opens all its VMs", false },
        { NULL, NULL, false },
};

int system_prepare_boot(const struct vm *vm, struct strv *environment, struct error **err)
{
        return 0;
}

/* A user whose Lima this breaks can switch it off. */
static bool is_confined(void)
{
        const char *set = getenv("MACHINE_LIMA_SANDBOX");

        return access(SANDBOX_EXEC, X_OK) == 0 && !(set && streq(set, "off"));
}

int system_choose_port(uint16_t *port, struct error **err)
{
        return ports_choose(port, err);
}

int system_confine(const struct vm *vm, uint16_t ssh_port, struct strv *argv, struct error **err)
{
        _cleanup_(freep) char *path = path_join(vm->folder, "lima.sb");
        _cleanup_(strbuf_clear) struct strbuf profile = STRBUF_INIT;

        if (!is_confined())
                return 0;
        confinement_profile(ssh_port, &profile);
        if (file_write_text(path, profile.buf, 0600, err) < 0)
                return -1;
        strv_adds(argv, SANDBOX_EXEC, "-f", path, NULL);
        return 0;
}

/* With Apple's framework the network is part of the host agent. */
int system_add_processes(const struct vm *vm _unused_, struct engine_processes *out _unused_, struct error **err _unused_)
{
        return 0;
}

int system_check_guest(const struct vm *vm, pid_t pid, struct error **err)
{
        return 0;
}
