#include <unistd.h>

#include "host/acceleration.h"
#include "lima/limactl.h"
#include "lima/system.h"

const struct system_tool system_tools[] = {
#ifdef __aarch64__
        { "qemu-system-aarch64", "sudo apt-get install qemu-system-arm" },
#else
        { "qemu-system-x86_64", "sudo apt-get install qemu-system-x86" },
#endif
        { "qemu-img", "sudo apt-get install qemu-utils" },
        { "mmdebstrap", "sudo apt-get install mmdebstrap" },
        { "ssh", "sudo apt-get install openssh-client" },
        { NULL, NULL },
};

const char system_driver[] = "qemu";

void system_find_acceleration(struct engine_probe *out)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;

        acceleration_find(&acceleration);
        out->acceleration = xstrdup(acceleration.kvm ? "kvm" : "tcg");
        out->note = TAKE_PTR(acceleration.note);
        out->hint = TAKE_PTR(acceleration.hint);
}

/* Lima takes KVM where the device is there, and QEMU then ends where it can't be used. What somebody set by hand stays. */
void system_add_emulation(struct strv *environment)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;

        acceleration_find(&acceleration);
        if (acceleration.kvm || access("/dev/kvm", F_OK) < 0 || getenv("QEMU_SYSTEM_X86_64") || getenv("QEMU_SYSTEM_AARCH64"))
                return;
        strv_take(environment, limactl_emulation(SYSTEM_ARCHITECTURE));
}
