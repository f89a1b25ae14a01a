/*
 * To build a base image takes what only Linux has (mmdebstrap, chroot, mounts). One that the same version of this program made
 * elsewhere, for the same processor, has the same key, and is found once it is copied here.
 */
#include "image/base-build.h"

int base_build_check(const char *layers, struct error **err)
{
        error_set(err, ERROR_ENGINE, "a base image can't be built on macOS");
        return error_hint(
                err,
                "on a Linux computer with the same version and the same kind of processor: machine bake; then copy its "
                "~/.local/share/machine/layers into '%s'",
                layers);
}
