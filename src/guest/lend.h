/*
 * Chooses which of the agent's keys a guest is lent: those of `keys`. Without `keys` these are the ones that the guest needs,
 * as far as this computer knows them: the key that signs commits, and for each repo's host the keys that the user's own ssh
 * configuration names for it. When it names none for one of the hosts, ssh itself would try all keys, so all are lent. Source:
 * ssh_config(5), IdentityFile.
 */
#pragma once

#include "config/project.h"
#include "lib/strv.h"

/*
 * Appends the fingerprints of the needed keys; nothing = all keys. `signing_key` ("TYPE BASE64") may be NULL. A host that git
 * reaches without ssh needs no key. A project that reaches no host by ssh is lent all keys. MACHINE_SSH_DIR stands for ~/.ssh
 * in tests.
 */
void lend_choose(const struct project *project, const char *signing_key, struct strv *out);
