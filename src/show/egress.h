/* What a guest has reached or was refused, as JSON, for --json and other fronts. */
#pragma once

#include "lib/json.h"
#include "operation/learn.h"
#include "vm/account.h"

/* A line of `egress`. */
json_t *show_account_line(const struct account_line *line);
/* What `egress --learn` has found. */
json_t *show_learned(const struct learned *learned);
