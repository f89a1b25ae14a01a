/*
 * A connection to QEMU's machine protocol (qmp-protocol.h) over its unix socket. QEMU talks to one client at a time; it greets
 * the next one when the first has gone.
 *
 *         if (qmp_connect(path, deadline_in(5000), &qmp, err) < 0 ||
 *             qmp_call(qmp, "system_powerdown", NULL, deadline_in(5000), NULL, err) < 0)
 *
 * Events that come while a reply is awaited are kept for qmp_next_event(); beyond a limit the oldest are dropped.
 */
#pragma once

#include "lib/deadline.h"
#include "lib/json.h"

struct qmp;

/* Connects and negotiates. ERROR_NOT_FOUND when nobody listens. */
int qmp_connect(const char *path, deadline limit, struct qmp **out, struct error **err);
void qmp_free(struct qmp *qmp);
void qmp_freep(struct qmp **qmp);

/*
 * Sends a command and waits for its reply. `arguments` (NULL = none) is borrowed; `reply` (may be NULL) becomes what
 * "return" held, owned by the caller. When QEMU refuses, ERROR_ENGINE has its words.
 */
int qmp_call(struct qmp *qmp, const char *command, json_t *arguments, deadline limit, json_t **reply, struct error **err);

/* The same, and hands QEMU a descriptor: for "getfd" and "add-fd". `fd` stays the caller's. */
int qmp_give(struct qmp *qmp, const char *command, json_t *arguments, int fd, deadline limit, struct error **err);

/* The descriptor to poll for POLLIN before qmp_next_event(qmp, 0, …). */
int qmp_fd(const struct qmp *qmp);
/* Returns 1 with the next event's name, owned by the caller; 0 when none came before the limit; -1 when the connection is
 * gone. */
int qmp_next_event(struct qmp *qmp, deadline limit, char **name, struct error **err);
