/*
 * Tells machine-net what a VM's guest may reach, in VM folder/egress.rules. machine-net keeps that file open, so it is
 * rewritten in place. What the guest has reached since it was started is in VM folder/egress.account.
 */
#pragma once

#include "vm/vm.h"

/* Writes the rules from the record. */
int rules_write(const struct vm *vm, struct error **err);
/* The same for a running VM: when it returns, the rules are in force. ERROR_ENGINE when machine-net doesn't take them up. */
int rules_change(const struct vm *vm, struct error **err);
/* Adds machine-net's options for the two files to `options`; nothing for a VM whose rules were never written. */
void rules_options(const struct vm *vm, struct strv *options);
/* Owned by the caller. */
char *rules_path(const struct vm *vm);
char *rules_account_path(const struct vm *vm);
