/* Lima's driver there is Apple's Virtualization.framework (vz), which runs the guest inside Lima's host agent. */
#include "lima/system.h"

const struct system_tool system_tools[] = {
        { NULL, NULL }, /* ssh is macOS's own */
};

const char system_driver[] = "vz";

void system_find_acceleration(struct engine_probe *out)
{
        out->acceleration = xstrdup("vz");
}

const struct weaker_line system_weaker[] = {
        { "host-loopback", "the guest reaches services on this computer's 127.0.0.1", false },
        { "lan", "the guest reaches the network around this computer", true },
        { "ssh-port", "the guest's sshd has a port on 127.0.0.1, which other users of this computer can connect to", false },
        { "confinement", "the process that runs the guest has the network and the files of any program of yours", false },
        { "shared-key", "one key of Lima's, on this computer alone, opens all its VMs", false },
        { NULL, NULL, false },
};

int system_prepare_boot(const struct vm *vm, struct strv *environment, struct error **err)
{
        return 0;
}

int system_check_guest(const struct vm *vm, pid_t pid, struct error **err)
{
        return 0;
}
