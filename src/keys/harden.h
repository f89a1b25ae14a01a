/*
 * What the inner process of machine-keys gives up before it accepts a connection. A guest that takes it over by its messages
 * has the process's descriptors, and nothing else: it can't open a file or a socket, start anything, signal another process,
 * or see or change one. On Linux this is done by capabilities, limits of resources, Landlock where the kernel has it, and a
 * list of system calls, in which fcntl(2) is limited by its command. A call that isn't on the list ends the process; six that
 * libraries try (open, openat, newfstatat, readlink, readlinkat, ioctl) fail instead. On macOS it gives up nothing yet.
 */
#pragma once

#include "lib/error.h"

struct keys_walls {
        bool system_calls;
        int landlock; /* version; 0 = this kernel has none */
        bool scopes;  /* of Landlock: signals and abstract unix sockets */
};

/* `walls` says what is in force now. Succeeds on a kernel without Landlock; fails without the list of system calls. */
int keys_harden(struct keys_walls *walls, struct error **err);
