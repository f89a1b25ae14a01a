/* When a VM is parked and what wakes it, as a configuration says it (lib/park.h). */
#pragma once

#include "lib/error.h"
#include "lib/park.h"

extern const char *const park_wakes[]; /* NULL-ended */
/* Fails with ERROR_CONFIG unless it is "never" or a time of a minute or more. */
int park_check(const char *text, struct error **err);
