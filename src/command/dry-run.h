/* Shows what `up` would do, for `plan` and `up --dry-run`. */
#pragma once

#include "command/command.h"

/* Prints the steps on stdout. `name` is as on the command line. Changes nothing and takes no lock, so that it doesn't wait for
 * a running `up`. */
int dry_run(struct context *context, const char *name, struct error **err);
