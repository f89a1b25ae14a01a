/*
 * Which keys of the agent a guest is lent. Those of `keys`; without it the ones that it needs, as far as this computer knows
 * them: the key that signs commits, and for each repo's host those that the person's own ssh configuration names for it. Where
 * it names none for one of the hosts ssh itself would try all, and so all are lent. Source: ssh_config(5), IdentityFile.
 */
#pragma once

#include "config/project.h"
#include "lib/strv.h"

/*
 * Appends the fingerprints of the needed ones; nothing = all. `signing_key` ("TYPE BASE64") may be NULL. Hosts that git reaches
 * without ssh need none; a project without any that is reached by ssh is lent all. MACHINE_SSH_DIR stands for ~/.ssh in tests.
 */
void lend_choose(const struct project *project, const char *signing_key, struct strv *out);
