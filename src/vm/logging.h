/*
 * Starts machine-log, which writes what a VM's QEMU and its guest say to files of limited size (src/log; Linux). It ends by
 * itself when nobody holds the other end of its pipes any more.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

/* Of a guest's console: its first boot messages and its last ones. A guest can write as much as it likes. */
#define LOGGING_CONSOLE_HEAD (1 << 20)
#define LOGGING_CONSOLE_MOST (4 << 20)

/* machine-log takes no more than that. */
#define LOGGING_STREAMS_MOST 8

/* What is read from `in` goes to `out`; both are borrowed. The sizes are those of lib/capped-log.h. */
struct logging_stream {
        int in, out;
        int head, most;
};

/* Opens a log, and makes it when it is missing. Returns the descriptor, or -1. */
int logging_open(const char *path, struct error **err);
/* The caller reaps `pid`. */
int logging_start(const struct logging_stream *streams, size_t count, pid_t *pid, struct error **err);
