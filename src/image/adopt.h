/*
 * Makes a guest of an image that Debian built: a script that runs as root at the image's first boot and adds what our base
 * image has from the start (guest/build/adopt). It is for macOS, where no base image can be built, and for images that the
 * user chose.
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"

/*
 * Appends the whole script, for a guest whose user is named `user`. It is printable ASCII without double braces. Once it has
 * run to its end, it does nothing at later boots. When it fails, it ends with a status other than 0 and says why on stderr.
 */
int adopt_script(const char *user, struct strbuf *out, struct error **err);
