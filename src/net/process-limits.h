/* What a process of machine-net asks of the kernel for itself, before it is confined. */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

/* Has this process end with `parent`: nobody else would end it. Fails when the parent has ended already. */
int limits_end_with(pid_t parent, struct error **err);
/* Sets the limit of descriptors for a worker. *sessions_most: so many sockets the guest may have. */
int limits_descriptors(unsigned *sessions_most, struct error **err);
/*
 * libslirp has two buffers of 128 KiB for each connection, and most are hardly used. Each is mapped by itself, so that only
 * what is used takes memory, and closing gives it back.
 */
void limits_memory(void);
