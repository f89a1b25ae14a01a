#include "operation/doctor-system.h"

/* git comes with the command-line tools. ssh and curl are macOS's own, so they are missing only when PATH lacks their folder.
 */
const struct doctor_tool doctor_tools[] = {
        { "ssh", DOCTOR_BAD, "every session", "export PATH=\"$PATH:/usr/bin\"" },
        { "ssh-keygen", DOCTOR_BAD, "keys of VMs", "export PATH=\"$PATH:/usr/bin\"" },
        { "git", DOCTOR_BAD, "repos", "xcode-select --install" },
        { "curl", DOCTOR_BAD, "downloads of recipes", "export PATH=\"$PATH:/usr/bin\"" },
        { 0 },
};

/* machine-net serves the embedded engine, which is for Linux. */
const char *const doctor_helpers[] = { "machine-keys", NULL };

/* Nothing yet: the engines say for themselves what they need. */
void doctor_check_system(struct doctor *doctor)
{
}
