/*
 * The checkout on the host that `repos = ["."]` names: what our own git runs do in it. Its commits go into the guest as a
 * stream (guest/push.h).
 *
 * git sees it through a view (host/repository.h): the checkout's own configuration, hooks, filters and submodules don't count.
 * We write the remote "machine"; the user's own `git fetch machine` writes refs/remotes/machine/. The guest is only ever the
 * other end of git's protocol: nothing it says becomes an option, a path or a configuration here, and what it says is shown
 * with control characters made visible.
 *
 * `git fetch machine` is the user's own git, under the checkout's own configuration. A remote "machine" that was there before
 * is refused when it holds a key that could name a program, such as uploadpack: git would run it, and it would look like ours.
 * git checks the objects as it does any remote's; `git -c fetch.fsckObjects=true fetch --no-recurse-submodules machine` is the
 * strictest form (neither can be set for one remote alone, and the user's other remotes are not ours to change).
 */
#pragma once

#include "host/repository.h"
#include "lib/error.h"
#include "lib/event.h"
#include "lib/strv.h"
#include "vm/vm.h"

struct checkout {
        struct repository repository; /* with its view */
        char *folder;                 /* as in the configuration */
        char *head;                   /* commit; NULL = nothing is committed yet */
        char *branch;                 /* the one that HEAD is on; NULL = detached */
        char *format;                 /* "sha1", "sha256" */
        struct strv refs;             /* branches and tags: "OBJECT NAME" */
        bool has_submodules;
};

#define CHECKOUT_INIT                                                                                                          \
        {                                                                                                                      \
                .repository = REPOSITORY_INIT, .refs = STRV_INIT                                                               \
        }
void checkout_clear(struct checkout *checkout);
/* Reads what is there. Fails with ERROR_CONFIG when it is not a git repository, or is one that leads elsewhere. */
int checkout_look(const char *folder, struct checkout *out, struct error **err);
/*
 * Appends the names of files that differ from the last commit, untracked ones (a folder of them as "NAME/") included: a push
 * leaves them behind. Submodules aren't looked at. Files are compared as they are: a file that a filter (git-lfs) would change
 * counts when its time changed.
 */
int checkout_list_uncommitted(const struct checkout *checkout, struct strv *out, struct error **err);

/* Makes the remote "machine" point to ~/code/NAME in the VM. Fails, with a hint, when there is one that is not ours. */
int checkout_set_remote(const char *folder, const struct vm *vm, const char *name, struct error **err);
/* Makes the same check, and changes nothing. */
int checkout_check_remote(const char *folder, const struct vm *vm, const char *name, struct error **err);
/* When the remote "machine" leads to the VM's `former` name, makes it lead to the VM; else leaves it alone. A folder that is
 * not a git repository (any more) has none. */
int checkout_move_remote(const char *folder, const struct vm *vm, const char *former, struct error **err);
/*
 * Removes the remote "machine" if it is this VM's. Deletes a ref in refs/remotes/machine/ only when another ref has its commits
 * too: what was fetched and merged nowhere stays.
 */
int checkout_withdraw_remote(const char *folder, const struct vm *vm, struct error **err);
/* Appends those of `commits` (hexadecimal) that a ref of the checkout, or its HEAD, reaches. A folder that is not a git
 * repository (any more) has none of them. */
int checkout_find_commits(const char *folder, const struct strv *commits, struct strv *out, struct error **err);
