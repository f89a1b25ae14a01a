/*
 * `machine mcp`: a server of the Model Context Protocol on stdin and stdout, so that an agent on this computer can use the VMs
 * that a person has named, without being given the computer.
 *
 * One thread and one loop. What takes time, the calls of tools, runs in processes of its own (call.h): calls don't wait for
 * each other, can be stopped, and can't take the server with them. A client that doesn't read is not read from either. The
 * server ends when stdin does, or by SIGINT or SIGTERM, and ends the calls that run.
 */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"

struct server_options {
        const struct strv *vms; /* the VMs that may be used, at least one */
        const char *version;    /* of the program */
};

/* Serves until the end of stdin: 0. Fails when there is no loop to be had. The caller catches signals (lib/interrupt.h). */
int server_run(const struct server_options *options, struct error **err);
