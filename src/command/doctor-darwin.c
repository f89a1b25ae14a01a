#include "command/doctor.h"

/* git comes with the command-line tools; ssh is macOS's own, so that only a PATH without it misses it. */
const struct doctor_tool doctor_tools[] = {
        { "ssh", BAD, "every session", "export PATH=\"$PATH:/usr/bin\"" },
        { "ssh-keygen", BAD, "keys of VMs", "export PATH=\"$PATH:/usr/bin\"" },
        { "git", BAD, "repos", "xcode-select --install" },
        { 0 },
};

/* machine-net serves the embedded engine, which is for Linux. */
const char *const doctor_helpers[] = { "machine-keys", NULL };

/* Nothing yet: engines say themselves what they need. */
void doctor_check_system(struct report *report)
{
}
