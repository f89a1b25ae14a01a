/*
 * What a VM's guest may reach, where machine-net reads it: VM folder/egress.rules, written anew in its place while it is open
 * there; and whom the guest has reached since it was started, VM folder/egress.account.
 */
#pragma once

#include "vm/vm.h"

/* From the record. */
int rules_write(const struct vm *vm, struct error **err);
/* The same for a VM that runs: when it returns, they count. ERROR_ENGINE when machine-net doesn't follow them. */
int rules_change(const struct vm *vm, struct error **err);
/* Adds machine-net's options for them to `options`; none for a VM that never had rules written. */
void rules_options(const struct vm *vm, struct strv *options);
/* Owned by the caller. */
char *rules_path(const struct vm *vm);
char *rules_account_path(const struct vm *vm);
