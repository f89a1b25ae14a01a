/*
 * libslirp's clock: CLOCK_MONOTONIC without the time in which it stood still. It stands still while the VM is parked, as the
 * guest's own clock does, so that nothing runs out that waits for the guest. All times are in nanoseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All zero: it runs, and has never stood still. */
struct clock {
        int64_t stood;   /* for so long in all, before it last went on */
        int64_t stopped; /* by CLOCK_MONOTONIC: since then it stands still; 0 = it runs */
};

int64_t clock_now(void); /* CLOCK_MONOTONIC */
/* Returns what the clock shows at `now`, which is clock_now(). */
int64_t clock_read(const struct clock *clock, int64_t now);
void clock_stop(struct clock *clock, int64_t now);
/* Returns for how long it stood still this time; 0 when it ran. */
int64_t clock_go_on(struct clock *clock, int64_t now);
