/*
 * Replaces the libc functions through which libslirp reaches the network: connect, accept, send, sendto, recv, shutdown,
 * close. The dynamic loader prefers a program's own definition, so libslirp calls these, and they lead to the conduit.
 *
 * A library that is linked in another way would bypass them, so machine-net tests this before it starts: see prove.h.
 */
#pragma once

#include <stdbool.h>

struct calls_seen {
        bool connect, send, send_to, receive, shutdown, close;
};

/* While `seen` is set, calls are noted there and nothing reaches the network. NULL ends this. */
void calls_note(struct calls_seen *seen);
