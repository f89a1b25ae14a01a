/*
 * The name and the signing key of commits made in the guest; the lent agent has the key. They are written for git's system-wide
 * configuration there (/etc/gitconfig includes ~/.config/machine/gitconfig), so that the guest user's own settings win.
 *
 *         commits_describe(&committer, record.forward_agent, &commits);   // pure
 *         if (!streq_ptr(commits.hash, record.git))
 *                 commits_apply(&vm, &commits, err);
 */
#pragma once

#include "guest/session.h"
#include "host/committer.h"

struct commits {
        char *config;     /* the text of ~/.config/machine/gitconfig */
        char *signers;    /* the text of ~/.config/machine/allowed_signers; "" = nobody */
        char *hash;       /* of both */
        char *note;       /* what is missing, for people; NULL = nothing */
        struct strv keys; /* the agent's keys that the project needs (guest/lend.h); empty = all */
};

#define COMMITS_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
/* Without `agent`, commits are not signed: nothing could sign them, and git would refuse to commit. */
void commits_describe(const struct committer *committer, bool agent, struct commits *out);
/* For a guest that has yet to take on its identity: it takes this over at the same time (vm/identity.h). */
int commits_store(const struct vm *vm, const struct commits *commits, struct error **err);
/* For a guest that runs. Stores them too, since a guest takes on its identity at every boot. */
int commits_apply(const struct vm *vm, const struct commits *commits, struct error **err);
void commits_clear(struct commits *commits);
