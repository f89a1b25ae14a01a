/* Brings the secrets that projects.toml names for a project into its running VM, from where this computer has them. */
#pragma once

#include "config/project.h"
#include "operation/front.h"
#include "operation/target.h"
#include "vm/vm.h"

/* Does the project name any secrets? */
bool secrets_wanted(const struct project *project);
/*
 * Reads all secrets and loads them: all or nothing. Unless `anew`, a VM that was given the same secrets since it was started is
 * left alone, so that nobody is asked for a fingerprint at every `up`. Fails with ERROR_FAILED when a provider fails, naming
 * the secret and the provider, at its place in projects.toml.
 */
int secrets_bring(struct front *front, const struct vm *vm, const struct project *project, bool anew, struct error **err);
/* The same on the way to something else: a failure is only a warning. */
void secrets_bring_softly(struct front *front, const struct vm *vm, const struct project *project);
