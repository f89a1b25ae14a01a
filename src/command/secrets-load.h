/* The secrets that projects.toml names for a project, from where this computer has them into its running VM. */
#pragma once

#include "command/command.h"
#include "command/target.h"
#include "vm/vm.h"

/* Does the project name any? */
bool secrets_wanted(const struct project *project);
/*
 * Reads them all and loads them: all or nothing. Unless `anew`, a VM that has been given these since it was started is left
 * alone, so that nobody is asked for a fingerprint at every `up`. A provider that fails: ERROR_FAILED naming the secret and the
 * provider, at its place in projects.toml.
 */
int secrets_bring(struct context *context, const struct vm *vm, const struct project *project, bool anew, struct error **err);
/* On the way to something else: trouble is a warning. */
void secrets_bring_softly(struct context *context, const struct vm *vm, const struct project *project);
