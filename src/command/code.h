/* A project's code in its VM: brought in, and set up once after that. */
#pragma once

#include "command/command.h"
#include "command/target.h"
#include "vm/vm.h"

/*
 * Brings in what is missing (guest/repos.h) and sets up what came (guest/setup.h): the project's `setup` in the first repo, or
 * each repo by its lock files. What is yet to be set up stands in the record, so that a killed run is gone on with. A repo that
 * can't be set up is a warning with the command that tries again, and counts in *failed.
 */
int code_bring(struct context *context, struct vm *vm, const struct target *target, size_t *failed, struct error **err);
