/*
 * Finds out whether something is on its way to the guest when its VM is parked: a connection that it hasn't taken, bytes or an
 * end that it hasn't acknowledged. Nobody will say them again, so they have to wake the VM as what comes later does.
 *
 * Only libslirp knows, and tells it in a text for people, slirp_connection_info(). A line that isn't as it should be is passed
 * over.
 *
 *           Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
 *           TCP[ESTABLISHED]   14        10.0.2.2 40222       10.0.2.15    22     0   512
 */
#pragma once

#include <stdbool.h>

/* Of a descriptor: whose bytes wake the VM, and whose end and new connection do, too. */
enum owed_weight { OWED_NOTHING, OWED_BYTES, OWED_ALL };

bool owed_find(const char *info, enum owed_weight (*weigh)(int fd, void *data), void *data);
