/* A race as JSON, for --json and other fronts. */
#pragma once

#include "lib/json.h"
#include "operation/race.h"

/* An array with each fork. What isn't known is null. */
json_t *show_race(const struct race *race);
