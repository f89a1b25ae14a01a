/*
 * Clones that the guest makes, all at once over one ssh session. The session has the agent only when a repo's URL needs ssh and
 * the project forwards the agent.
 */
#pragma once

#include "config/project.h"
#include "config/remote.h"
#include "guest/session.h"

/* Lists every failure (struct error's next): one failed clone does not stop the others. `run` names this attempt. */
int clone_all(const struct vm *vm, const struct project *project, const struct project_repo *const *repos, size_t count,
              const char *run, struct event_sink *events, struct error **err);
/* Returns what to do when git ended with `said`: a hint, owned by the caller, or NULL. */
char *clone_hint(const struct project *project, const struct remote *remote, const char *said);
