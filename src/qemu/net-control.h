/* The side of `machine` of what lib/net-control.h describes. */
#pragma once

#include "lib/deadline.h"
#include "lib/error.h"
#include "lib/net-control.h"

/*
 * Asks `word` of the machine-net that listens at `path`, which may be longer than the address of a socket. `fd` goes along;
 * -1 = none. Fails with ERROR_NOT_FOUND when nobody listens there, and with ERROR_ENGINE when there is no answer in time or
 * the answer is no; error.number is then the status.
 */
int net_control_call(const char *path, const char *word, int fd, deadline limit, struct net_reply *out, struct error **err);
