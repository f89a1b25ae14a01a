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

void system_add_emulation(struct strv *environment)
{
        (void)environment;
}
