/*
 * Describes a VM's identity for guest/identity: what makes a guest this VM. guest/README.md has the format. The description
 * contains the private host key.
 */
#pragma once

#include "lib/strbuf.h"
#include "vm/vm.h"

/*
 * Files in the VM's folder that the guest takes over with its identity, if they exist. They tell git who commits
 * (guest/commits.h).
 */
#define IDENTITY_GIT_CONFIG  "gitconfig"
#define IDENTITY_GIT_SIGNERS "allowed_signers"

/* Appends the description and leaves room for a little more. It is secret: clear `out` with identity_wipe(). */
int identity_describe(const struct vm *vm, struct strbuf *out, struct error **err);
void identity_wipe(struct strbuf *description);
/* A VM's uuid as a machine-id: 32 hexadecimal digits. Owned by the caller. */
char *identity_machine_id(const char *uuid);
