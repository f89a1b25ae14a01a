/*
 * The project's code in the guest: below ~/code, cloned there by the guest (through the forwarded agent or https), or
 * pushed in from the checkout on the host (`repos = ["."]`), whose remote "machine" brings commits back by `git fetch machine`.
 *
 * Nothing that the guest says reaches the host's git as an option, a hook or a configuration.
 */
#pragma once

#include "config/project.h"
#include "guest/session.h"
#include "guest/work.h"

/* The folder names of the repos that came, and of those that were seen to have no lock file that asks for a set-up. */
struct repos_brought {
        struct strv names, plain;
};

#define REPOS_BROUGHT_INIT                                                                                                     \
        {                                                                                                                      \
                .names = STRV_INIT, .plain = STRV_INIT                                                                         \
        }
void repos_brought_clear(struct repos_brought *brought);
/*
 * Fails, with the place in the configuration, when the project's checkout could not be pushed into a new VM: it is not a git
 * repository, or has a remote "machine" of its own. Called before anything is built or removed.
 */
int repos_check(const struct vm *vm, const struct project *project, struct error **err);
/* Clones or pushes what is missing, the clones in parallel. Adds what came to `brought`. An existing repo is left as it is.
 * Errors name the repo. */
int repos_fill(struct vm *vm, const struct project *project, struct repos_brought *brought, struct event_sink *events,
               struct error **err);

/*
 * Finds what exists only in the running guest, in its repos and everywhere else (guest/work.h). For pushed-in repos a commit
 * counts as safe when the checkout on the host has it. `checkout` may be NULL, and need not be a git repository any more.
 *
 * Not looked for: commits that only a reflog has, and what is only in memory.
 */
int repos_find_work(const struct vm *vm, const char *checkout, struct work *out, struct error **err);
/* Leads the remote "machine" of the checkout to the VM, when it leads to the name that the VM had. */
int repos_rename(const struct vm *vm, const char *checkout, const char *former, struct error **err);
/* Takes the remote "machine" out of the checkout again, if it is ours. */
int repos_withdraw(const struct vm *vm, const char *checkout, struct error **err);
