/*
 * Sets a repo up once, after its first clone: runs the project's own commands, or installs the dependencies that its lock files
 * name (npm, pnpm, yarn, bun, uv). This runs the repo's code, in the guest, without the agent.
 */
#pragma once

#include "config/project.h"
#include "guest/session.h"

#define SETUP_FIND "setup-find.sh" /* goes in front of a script that asks what lock files name */

/*
 * Runs `commands` for a shell, one after the other, in ~/code/FOLDER; with none, what the lock files ask for. Fails with
 * ERROR_STEP, the last lines, and a hint that does the same again. Takes 12 hours at most.
 */
int setup_run(const struct vm *vm, const char *folder, const struct strv *commands, struct event_sink *events,
              struct error **err);
