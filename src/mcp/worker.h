/*
 * One call of a tool, in a process of its own (`machine mcp-tool TOOL`): it can be stopped by a signal like a command at a
 * terminal, and nothing that happens to it reaches the server. The server (call.h) writes the request to its stdin,
 *
 *         {"vms": ["blog"], "arguments": {…}}
 *
 * and reads lines from its stdout: any number of {"event": "begin" | "line" | "note" | "warning", "text": …}, and at last
 * {"result": …}, a CallToolResult of the specification. SIGTERM stops what it does in order, as with `machine up`; the second
 * one ends it at once.
 */
#pragma once

#include "lib/error.h"

/* Fails only when there is no such tool, or no request: a tool that failed is a result. */
int worker_run(const char *name, struct error **err);
