/*
 * Decides when the waker (waker.h) runs `machine wake` and when `machine park --if-idle`. Knows time only from its caller, in
 * milliseconds of now_ms(), and does nothing by itself. At most one program runs at a time.
 *
 *         switch (waking_next(&waking, now_ms(), &wait)) …     // run it, or wait
 *         waking_set(&waking, &state, now_ms());               // the supervisor has said so
 *         waking_byte(&waking, number);                        // the worker has written it
 *         waking_ended(&waking, now_ms());                     // the program has ended
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WAKING_PAUSE_MS      2000 /* after the first `machine wake` that left the VM parked; then twice as long each time */
#define WAKING_PAUSE_MOST_MS (10 * 60 * 1000)

/* As the supervisor sends it. */
struct waking_state {
        uint8_t held;
        uint8_t number; /* of the hold */
};

enum waking_act { WAKING_NOTHING, WAKING_WAKE, WAKING_PARK };

struct waking {
        int64_t idle_look; /* how often to try to park; 0 = never */
        struct waking_state state;
        bool reached;         /* something has reached for the guest … */
        uint8_t reached_hold; /* … in the hold of this number */
        enum waking_act runs;
        int64_t due; /* not before that */
        int64_t pause;
};

/* `idle_look` in ms; 0 = never */
void waking_init(struct waking *waking, int64_t idle_look, int64_t now);
void waking_set(struct waking *waking, const struct waking_state *state, int64_t now);
/*
 * A byte from the worker: the number of the hold in which something reached for the guest. It may come before the supervisor's
 * word or after it. One of an earlier hold means nothing.
 */
void waking_byte(struct waking *waking, uint8_t number);
/* The program has ended. One that should wake the VM and hasn't is tried again after a pause. */
void waking_ended(struct waking *waking, int64_t now);
/* What to run now; it counts as running from here on. WAKING_NOTHING: look again after *wait ms, -1 = when there is news. */
enum waking_act waking_next(struct waking *waking, int64_t now, int64_t *wait);
