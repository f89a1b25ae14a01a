/*
 * A connection to the guest agent (agent-protocol.h) through QEMU's unix socket. The guest may answer late, never, or with
 * nonsense: every call has a limit of time and size, and after a failed one the next begins with a new sync.
 */
#pragma once

#include "lib/deadline.h"
#include "lib/json.h"

struct agent;

int agent_connect(const char *path, deadline limit, struct agent **out, struct error **err);
void agent_free(struct agent *agent);
void agent_freep(struct agent **agent);

/* Gets into step with the agent. qmp_call()'s arguments and results otherwise. */
int agent_call(struct agent *agent, const char *command, json_t *arguments, deadline limit, json_t **reply, struct error **err);
/* For the commands that answer only when they fail (guest-shutdown): sent, and not waited for. */
int agent_tell(struct agent *agent, const char *command, json_t *arguments, deadline limit, struct error **err);

/*
 * Runs a program in the guest as root and waits for its end. `argv[0]` is its absolute path there; `input` (may be NULL) is
 * what it reads. An exit status other than 0 is ERROR_ENGINE with what it said. Source: qemu-ga-ref, "guest-exec".
 */
int agent_run(struct agent *agent, const char *const *argv, const struct strbuf *input, deadline limit, struct error **err);
