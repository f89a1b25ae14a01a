#include "host/guest-system.h"

#include <sys/utsname.h>

const char *guest_architecture(struct error **err)
{
        static const char *const names[][2] = {
                { "x86_64", "amd64" }, { "aarch64", "arm64" }, { "arm64", "arm64" }, /* macOS's name */
        };
        struct utsname system;

        if (uname(&system) < 0) {
                error_errno(err, ERROR_ENGINE, "cannot tell the host's architecture");
                return NULL;
        }
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(system.machine, names[i][0]))
                        return names[i][1];
        error_set(err, ERROR_ENGINE, "there are no guests for the architecture '%s'", system.machine);
        return NULL;
}
