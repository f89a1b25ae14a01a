/* What exists only in a VM as JSON. */
#pragma once

#include "guest/work.h"
#include "lib/json.h"

/* {"event": "work", "name": …, "work": […], "safe": […], "unread": […]} */
json_t *show_work(const char *name, const struct work *work);
