/*
 * What makes a guest this VM: its description for guest/identity (the form is in guest/README.md), with the private host
 * key in it.
 */
#pragma once

#include "lib/strbuf.h"
#include "vm/vm.h"

/*
 * Files of the VM's folder whose content the guest takes over with its identity, where they are there: what git is to know of
 * who commits (guest/commits.h).
 */
#define IDENTITY_GIT_CONFIG  "gitconfig"
#define IDENTITY_GIT_SIGNERS "allowed_signers"

/* Appends the description, with room for a little more. A secret: `out` is to be cleared by identity_wipe(). */
int identity_describe(const struct vm *vm, struct strbuf *out, struct error **err);
void identity_wipe(struct strbuf *description);
/* A VM's uuid as a machine-id: 32 hexadecimal digits. Owned by the caller. */
char *identity_machine_id(const char *uuid);
