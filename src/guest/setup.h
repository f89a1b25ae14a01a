/*
 * What a repo needs once after its first clone: the project's own commands, or the dependencies that its lock files name (npm,
 * pnpm, yarn, bun, uv). It is the repo's code that runs, in the guest, without the agent.
 */
#pragma once

#include "config/project.h"
#include "guest/session.h"

/*
 * In ~/code/FOLDER. `commands` for a shell, run there one after the other; none = by the lock files. A failure is ERROR_STEP
 * with the last lines, and a hint that does the same again. Has no limit of time of its own.
 */
int setup_run(const struct vm *vm, const char *folder, const struct strv *commands, struct event_sink *events,
              struct error **err);
