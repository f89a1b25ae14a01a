/* What takes room as JSON, for --json and other fronts. */
#pragma once

#include "lib/json.h"
#include "operation/space.h"

/* `du`: VMs, layers and all else, with their sum. */
json_t *show_space(const struct space *space);
