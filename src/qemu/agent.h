/*
 * A connection to the guest agent (agent-protocol.h) through two named pipes, PATH.in and PATH.out, whose other ends QEMU
 * holds. One process at a time has it: PATH.in is locked meanwhile (lib/lock.h). The guest may answer late, never, or with
 * nonsense. So every call has a limit of time and size, and the first call, and the one after a failed one, begins with a sync.
 */
#pragma once

#include "lib/deadline.h"
#include "lib/json.h"

struct agent;

/* The names of the pipes. Owned by the caller. */
char *agent_pipe_in(const char *path);
char *agent_pipe_out(const char *path);

/* Waits for the one that has it. ERROR_NOT_FOUND when a pipe is missing. */
int agent_connect(const char *path, deadline limit, struct agent **out, struct error **err);
void agent_free(struct agent *agent);
void agent_freep(struct agent **agent);

/* Like qmp_call(), but gets into step with the agent first when that is needed. */
int agent_call(struct agent *agent, const char *command, json_t *arguments, deadline limit, json_t **reply, struct error **err);
/* Sends a command without waiting for an answer: for those that answer only when they fail (guest-shutdown). */
int agent_tell(struct agent *agent, const char *command, json_t *arguments, deadline limit, struct error **err);

/*
 * Runs a program in the guest as root and waits for its end. `argv[0]` is its absolute path there; `input` (may be NULL) is
 * what it reads. It may take as long as it moves (vm/progress.h): `quiet_ms` is how long neither the guest nor its QEMU (its
 * process; 0 = unknown) may do anything. An exit status other than 0 is ERROR_ENGINE with the program's output. Source:
 * qemu-ga-ref, "guest-exec".
 */
int agent_run(struct agent *agent, const char *const *argv, const struct strbuf *input, pid_t qemu, int quiet_ms,
              struct error **err);
