/*
 * The process that `machine` starts and waits for: it starts the inner process (inner.h) and the program, and ends with the
 * program. It sees nothing of what a guest sent but the words of channel.h. It connects to the one agent, asks the person
 * (question.h) and writes the record (record.h), because the inner process can do none of these.
 */
#pragma once

#include "keys/settings.h"
#include "lib/error.h"

/* Returns the program's exit status (128 + the number of a signal that ended it), or -1 when it could not be started. */
int outer_run(const struct settings *settings, const char *const *program, struct error **err);
