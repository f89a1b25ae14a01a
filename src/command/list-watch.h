/* `machine list --watch`: says what changes in the list. */
#pragma once

#include "command/command.h"
#include "lib/json.h"

/*
 * Looks at all projects and VMs again and again, as `list` does, and prints a line for each change: with the local time, or as
 * an object (`--json`). `before` is what was printed of them, and is taken over. Ends with 0 on Ctrl-C, and when nobody reads
 * standard output any more.
 */
int list_watch(struct context *context, json_t *before, struct error **err);
