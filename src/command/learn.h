/* `egress --learn`: the rules that would allow what a guest has reached, or was refused for want of one. */
#pragma once

#include "command/target.h"
#include "guest/watch.h"
#include "vm/account.h"

/*
 * Prints them as they would stand in projects.toml: the project's own as it has them, "@npm" too, and those that are missing.
 * With `watch`, which may be NULL, each has the programs that the guest told of.
 */
void learn_print(struct context *context, const struct target *target, const struct vm *vm, const struct account *account,
                 const struct watch *watch);
