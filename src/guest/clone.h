/*
 * Clones made by the guest, all at once over one ssh session, with the agent only where a repo's URL needs ssh and the
 * project forwards it.
 */
#pragma once

#include "config/project.h"
#include "config/remote.h"
#include "guest/session.h"

/* Every failure is listed (struct error's next); one doesn't keep the others from being cloned. `run` names this attempt. */
int clone_all(const struct vm *vm, const struct project *project, const struct project_repo *const *repos, size_t count,
              const char *run, struct event_sink *events, struct error **err);
/* What to do when git ended with `said`: a hint, owned by the caller, or NULL. */
char *clone_hint(const struct project *project, const struct remote *remote, const char *said);
