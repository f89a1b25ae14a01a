/* From here on the program only reads and writes the descriptors that it has. */
#pragma once

#include "lib/error.h"

int log_harden(struct error **err);
