/*
 * Finds what would install a program in a project's VM: a step of its recipe, or a profile that the project doesn't have, or
 * else the file where a line is missing. Reads files only.
 */
#pragma once

#include "operation/target.h"

/* Returns a sentence with FILE:LINE where there is one, and the command that applies it. `lacks` is what the VM's record has of
 * steps that failed. Owned by the caller; NULL when the project or its recipe can't be read. */
char *provider_of(const struct target *target, const struct strv *lacks, const char *program);
