/*
 * The messages of the Model Context Protocol: JSON-RPC 2.0, one message a line. Two eras of it are in use.
 *
 * From revision 2026-07-28 on there is no session: each request says in `params._meta` which revision it follows, and is
 * answered by itself. Before that, `initialize` agrees on a revision for as long as the process runs. Source: the
 * specification at modelcontextprotocol.io/specification/2026-07-28, basic/index, basic/versioning and basic/transports/stdio;
 * basic/lifecycle of 2025-11-25.
 */
#pragma once

#include "lib/json.h"

#define PROTOCOL_MODERN  "2026-07-28"
#define PROTOCOL_BATCHES "2025-03-26" /* the only one in which several messages may come as a list */

enum protocol_code {
        PROTOCOL_PARSE_ERROR = -32700,
        PROTOCOL_INVALID_REQUEST = -32600,
        PROTOCOL_NO_METHOD = -32601,
        PROTOCOL_INVALID_PARAMS = -32602,
        PROTOCOL_INTERNAL = -32603,
        PROTOCOL_UNSUPPORTED = -32022, /* UnsupportedProtocolVersion; only from 2026-07-28 on */
};

/* The revision that `initialize` agrees on, when it asks for `wanted`: that one, or the newest one with a session. */
const char *protocol_negotiate(const char *wanted);

/* Responses. `id` is not taken over and may be NULL, `result` is. A modern result says what it is, and whose. */
json_t *protocol_result(const json_t *id, bool modern, const char *version, json_t *result);
json_t *protocol_error(const json_t *id, enum protocol_code code, const char *format, ...) _printf_(3, 4);
/* The result of a tool that failed, which the model is told of. */
json_t *protocol_failure(const char *text);
/* The error that names the revisions that there are. */
json_t *protocol_unsupported(const json_t *id, const char *requested);
/* {"name": "machine", "title": …, "version": …} */
json_t *protocol_self(const char *version);
