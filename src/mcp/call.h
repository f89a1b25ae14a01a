/*
 * Calls of tools that run or wait to run, each in a process of its own (worker.h). So many run at a time, so many more wait,
 * and the rest are refused at once.
 */
#pragma once

#include "mcp/state.h"
#include "mcp/tool.h"

/* What a `tools/call` asks for. `id` and `token` are not taken over. */
struct call_request {
        const json_t *id;
        bool modern;
        const json_t *token; /* for progress; NULL = none is wanted */
        struct batch *batch; /* NULL = it is answered by itself */
        const struct tool *tool;
        const json_t *arguments; /* checked */
};

/* Runs it now, or when others have ended. Returns false when too many wait already. */
bool call_add(struct server *server, const struct call_request *request);
/* Is there a call with this id? */
bool call_is_known(const struct server *server, const json_t *id);
/* Stops the call with this id, if there is one; it gets no response. */
void call_cancel(struct server *server, const json_t *id);
/* Starts those that wait, as far as others have ended. */
void call_begin_waiting(struct server *server);
/* Stops all, and answers none. */
void call_stop_all(struct server *server);
/* At the end of the server: kills what is left. */
void call_free_all(struct server *server);
