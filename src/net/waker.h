/*
 * The process that wakes a parked VM, and parks one that is idle. It is forked before anything else happens, keeps the user's
 * environment, and is not confined, because it runs `machine`. A guest reaches it by one byte and nothing else: the worker
 * writes the number of the hold into a pipe when something reaches for the guest. A worker that was taken over can write that
 * byte whenever it likes; then `PROGRAM wake NAME` runs, if the supervisor has said on another pipe that the VM is parked, and
 * at most as often as waking.h says. It has no other descriptor that a worker has, except the log.
 *
 * It ends with the supervisor: when the supervisor's pipe closes. Programs that it runs go on, because half a park is worse
 * than one that nobody waits for. They get /dev/null as their input and output; what they say of errors goes into the log.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

struct waker_settings {
        const char *program; /* NULL = no waker */
        const char *name;    /* of the VM */
        int64_t idle_look;   /* seconds; 0 = it parks nothing */
        const char *log;     /* path; NULL = standard error */
};

struct waker {
        pid_t pid;     /* 0 = there is none */
        int state_fd;  /* the supervisor's: struct waking_state */
        int number_fd; /* the worker's: a byte */
};

#define WAKER_INIT                                                                                                             \
        {                                                                                                                      \
                .state_fd = -1, .number_fd = -1                                                                                \
        }

/*
 * Returns 0 in the caller, with both pipes; neither ever blocks. Returns 1 in the waker when its work is over: that process is
 * to end.
 */
int waker_start(const struct waker_settings *settings, struct waker *out, struct error **err);
/* Tells the waker that the VM is parked, or that it goes on. `number`: of the hold. */
void waker_tell(const struct waker *waker, bool held, uint8_t number);
