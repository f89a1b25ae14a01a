/*
 * A branch of the guest, brought into the checkout on the host without the user's git: the guest packs what the checkout lacks,
 * git on the host (host/git.h) checks each object and how they hang together, apart from all others, and only then are they
 * the repository's, with a ref, refs/remotes/machine/BRANCH. Nothing is checked out or merged. Git's protocol is not spoken;
 * the guest sends a pack, which has a limit, and nothing else.
 */
#pragma once

#include "lib/error.h"
#include "vm/vm.h"

/* What was fetched is refs/remotes/FETCH_REMOTE/BRANCH */
#define FETCH_REMOTE "machine"

/*
 * Fetches the commit `tip`, and all before it, from the guest's first repo. *commits becomes how many of them no other ref of
 * the checkout has. Fails when that ref has commits that would be lost.
 */
int fetch_branch(const struct vm *vm, const char *checkout, const char *branch, const char *tip, int64_t *commits,
                 struct error **err);
