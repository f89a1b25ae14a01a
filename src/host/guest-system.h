/* What guests run, as Debian names it. */
#pragma once

#include "lib/error.h"

#define GUEST_SUITE "trixie"

/* The host's own architecture: "amd64" or "arm64". NULL with an ERROR_ENGINE for one that guests aren't made for. */
const char *guest_architecture(struct error **err);
