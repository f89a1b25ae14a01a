/*
 * An image of Debian's own making as a guest: a script that its first boot runs as root, and which brings in what our base
 * image has from the start (guest/build/adopt). Where no base image can be built, on macOS, and for images of the user's
 * choice.
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"

/*
 * Appends the script, for a guest whose user is named `user`: complete, of printable ASCII without braces in pairs. A boot
 * after one where it came to its end does nothing of it. Not so, it ends with a status other than 0, and says why on stderr.
 */
int adopt_script(const char *user, struct strbuf *out, struct error **err);
