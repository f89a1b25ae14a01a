/*
 * What a worker watches while the VM is parked: whether something reaches for the guest. When it does, one byte wakes the
 * waker (waker.h), and nothing more is watched until the VM goes on. What reaches stays: a connection waits to be accepted and
 * bytes wait to be read, also when the one who sent them has given up. So one byte is enough.
 *
 * Nothing is read here, and libslirp doesn't hear of it.
 *
 *         hold_begin(&hold, &settings, info);
 *         while (hold_wait(&hold, ROUND_MS, &told, err) == 0 && !told)
 *                 …
 *         hold_end(&hold);
 */
#pragma once

#include "lib/error.h"
#include "net/polls.h"

struct hold_settings {
        int channel; /* the supervisor's word ends the wait */
        int wake_fd; /* gets the byte; -1 = nothing wakes the VM, and nothing is watched */
        bool any;    /* bytes from outside wake the VM, too */
        uint8_t number;
};

struct hold {
        struct hold_settings settings;
        struct polls polled; /* the channel, then near sockets, then far ones */
        size_t far;          /* index of the first far one */
};

/*
 * Finds out by the conduit (conduit.h) what there is to watch. When something is on its way to the guest already, by libslirp's
 * `info` (owed.h), the byte is written at once.
 */
void hold_begin(struct hold *hold, const struct hold_settings *settings, const char *info);
void hold_end(struct hold *hold);
/* Waits for `timeout_ms` at most. Sets *told when the supervisor has said something, or has ended. */
int hold_wait(struct hold *hold, int timeout_ms, bool *told, struct error **err);
