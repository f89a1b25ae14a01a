/*
 * The process that a guest talks to: it parses what the guest sends, decides what may reach the agent, and passes on what the
 * agent answers. It is confined (harden.h) before it accepts a connection. It has no file and makes no connection: it
 * asks the outer process for these over a channel (channel.h), and ends when that process ends.
 *
 * It keeps at most KEPT_MOST bytes for a guest (requests, and answers that are on their way), for all connections together. A
 * connection that needs more is closed, and the record says so.
 */
#pragma once

#include "keys/settings.h"

#define CLIENTS_MOST 64
#define KEPT_MOST    (2 << 20)

/* Runs until the other end of CHANNEL_FD is closed. Returns the exit status. */
int inner_run(struct settings *settings);
