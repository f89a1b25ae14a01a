/*
 * The checkout on the host that stands behind `repos = ["."]`: what our own git runs do in it.
 *
 * They run no hook (the checkout's own pre-push neither), no fsmonitor, touch no submodule, and answer no prompt. What they
 * write is the remote "machine" and, by the user's own `git fetch machine`, refs/remotes/machine/. The guest is only ever the
 * other end of git's protocol: nothing it says becomes an option, a path or a configuration here. Objects it sends are checked
 * by git as any remote's; `git -c fetch.fsckObjects=true fetch --no-recurse-submodules machine` is the strictest form (neither
 * can be set for one remote alone, and the user's other remotes are not ours to change).
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"
#include "lib/strv.h"
#include "vm/vm.h"

struct checkout {
        char *folder;      /* as in the configuration */
        char *head;        /* commit; NULL = nothing is committed yet */
        char *branch;      /* that HEAD is on; NULL = detached */
        char *format;      /* "sha1", "sha256" */
        bool has_branches; /* or tags: something for the push to match */
        bool has_submodules;
};

#define CHECKOUT_INIT                                                                                                          \
        {                                                                                                                      \
                0                                                                                                              \
        }
void checkout_clear(struct checkout *checkout);
/* What is there. No git repository: ERROR_CONFIG. */
int checkout_look(const char *folder, struct checkout *out, struct error **err);
/* Files that differ from the last commit, untracked ones included: a push leaves them behind. */
int checkout_count_uncommitted(const struct checkout *checkout, size_t *out, struct error **err);

/* All local branches and tags, and a detached HEAD as refs/machine/head, to `path` (relative to the guest's home). */
int checkout_push(const struct checkout *checkout, const struct vm *vm, const char *path, struct event_sink *events,
                  struct error **err);
/* Makes the remote "machine" point to ~/code/NAME in the VM. One that points elsewhere is an error with what to do. */
int checkout_set_remote(const char *folder, const struct vm *vm, const char *name, struct error **err);
/* The same check without making it. */
int checkout_check_remote(const char *folder, const struct vm *vm, const char *name, struct error **err);
/*
 * Takes the remote "machine" out if it is this VM's. Of refs/remotes/machine/ only those are deleted whose commits another
 * ref has too: what was fetched and merged nowhere stays.
 */
int checkout_withdraw_remote(const char *folder, const struct vm *vm, struct error **err);
/* Appends those of `commits` (hexadecimal) that a ref of the checkout, or its HEAD, reaches. */
int checkout_find_commits(const char *folder, const struct strv *commits, struct strv *out, struct error **err);
