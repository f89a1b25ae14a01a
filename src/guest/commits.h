/*
 * Commits made in the guest: in whose name, and signed by which key through the lent agent. Written for git's system-wide
 * configuration there (/etc/gitconfig includes ~/.config/machine/gitconfig), so that whatever the guest's user says wins.
 *
 *         commits_describe(&committer, record.forward_agent, &commits);   // pure
 *         if (!streq_ptr(commits.hash, record.git))
 *                 commits_apply(&vm, &commits, err);
 */
#pragma once

#include "guest/session.h"
#include "host/committer.h"

struct commits {
        char *config;     /* the text of the file */
        char *signers;    /* of ~/.config/machine/allowed_signers; "" = nobody */
        char *hash;       /* of both */
        char *note;       /* what is missing, for people; NULL = nothing */
        struct strv keys; /* of the agent, those that the project needs (guest/lend.h); none = all */
};

#define COMMITS_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
/* Without an agent nothing could sign, and git would refuse to commit: so nothing is signed then. */
void commits_describe(const struct committer *committer, bool agent, struct commits *out);
/* For a VM whose guest is still to take its identity on: it takes this over as well (vm/identity.h). */
int commits_store(const struct vm *vm, const struct commits *commits, struct error **err);
/* For one that runs. Stored too, since a guest takes its identity on at every boot. */
int commits_apply(const struct vm *vm, const struct commits *commits, struct error **err);
void commits_clear(struct commits *commits);
