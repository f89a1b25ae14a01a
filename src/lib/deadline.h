/*
 * Time that only goes forward, and limits on waiting.
 */
#pragma once

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t now_ms(void);

/* A point in time; DEADLINE_NEVER means no limit. */
typedef int64_t deadline;
#define DEADLINE_NEVER INT64_MAX

deadline deadline_in(int timeout_ms); /* negative = DEADLINE_NEVER */
/* The milliseconds left, for poll(2): 0 when the deadline has passed, -1 for DEADLINE_NEVER, at most INT_MAX. */
int deadline_left(deadline when);
static inline int deadline_passed(deadline when)
{
        return deadline_left(when) == 0;
}
