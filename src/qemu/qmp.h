/*
 * A connection to QEMU's machine protocol (qmp-protocol.h) over its unix socket. QEMU talks to one client at a time;
 * the next one's greeting comes when the first has gone.
 *
 *         if (qmp_connect(path, deadline_in(5000), &qmp, err) < 0 ||
 *             qmp_call(qmp, "system_powerdown", NULL, deadline_in(5000), NULL, err) < 0)
 *
 * Events that come while a reply is awaited are kept for qmp_next_event(), the oldest dropped beyond a limit.
 */
#pragma once

#include "lib/deadline.h"
#include "lib/json.h"

struct qmp;

/* Connects and negotiates. Nobody listening: ERROR_NOT_FOUND. */
int qmp_connect(const char *path, deadline limit, struct qmp **out, struct error **err);
void qmp_free(struct qmp *qmp);
void qmp_freep(struct qmp **qmp);

/*
 * Sends a command and waits for its reply. `arguments` (NULL = none) is borrowed; `reply` (may be NULL) becomes what
 * "return" held, owned by the caller. A refusal of QEMU is ERROR_ENGINE with its words.
 */
int qmp_call(struct qmp *qmp, const char *command, json_t *arguments, deadline limit, json_t **reply, struct error **err);

/* The same with a descriptor of ours for QEMU to have: for "getfd" and "add-fd". `fd` stays the caller's. */
int qmp_give(struct qmp *qmp, const char *command, json_t *arguments, int fd, deadline limit, struct error **err);

/* To poll for POLLIN before qmp_next_event(qmp, 0, …). */
int qmp_fd(const struct qmp *qmp);
/* The next event's name, owned by the caller: 1. None before the limit: 0. The connection is gone: -1. */
int qmp_next_event(struct qmp *qmp, deadline limit, char **name, struct error **err);
