/*
 * Where the host reaches the guest: the unix socket in front of its sshd, and the forwarded ports on 127.0.0.1. libslirp makes
 * and serves the sockets; this asks for them.
 */
#pragma once

#include <slirp/libslirp.h>

#include "net/worker.h"

/*
 * Called after conduit_open(), which hears of each listening socket. An address that is taken is an error at first. For a later
 * worker (shared->ready) it is a line in the log, because a guest without one forwarded port is better than one without a
 * network.
 */
int listen_all(Slirp *slirp, struct net_settings *settings, struct net_shared *shared, struct error **err);
