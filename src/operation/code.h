/* Brings a project's code into its VM, and sets it up once after that. */
#pragma once

#include "operation/front.h"
#include "operation/target.h"
#include "vm/vm.h"

/*
 * Brings in what is missing (guest/repos.h) and sets up what came (guest/setup.h): the project's `setup` in the first repo, or
 * each repo by its lock files. The record says what has yet to be set up, so that the next run continues a killed one. A repo
 * that can't be set up is a warning with the command that tries again, and counts in *failed.
 */
int code_bring(struct front *front, struct vm *vm, const struct target *target, size_t *failed, struct error **err);
