/*
 * Since when a running guest does nothing: it has taken no processor time worth naming, and no byte has passed on a connection
 * of its own or of a session. Nothing watches all the time: each look compares with the one before, which is kept in the VM's
 * runtime folder.
 */
#pragma once

#include "vm/vm.h"

/* How much of one processor an idle guest may use, in hundredths: its kernel's timers, and an emulated one's overhead. */
#define IDLE_PERCENT 5
/* What a guest uses is judged over at least that time: in a moment anything is much. */
#define IDLE_SPAN_MS 20000

struct idle {
        int64_t at_ms;    /* when its processor time was last judged, by now_ms() */
        int64_t cpu_ms;   /* what it had used by then */
        int64_t since_ms; /* idle since then */
};

/* Pure: takes in what was seen now. `idle` all zero = nothing was seen before. */
void idle_judge(struct idle *idle, int64_t now_ms, const struct engine_activity *seen);
/* Looks at a running VM. Returns since how many milliseconds it has been idle, as far as looks tell; or -1. */
int64_t idle_look(const struct vm *vm, struct error **err);
