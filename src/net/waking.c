#include "net/waking.h"

void waking_init(struct waking *waking, int64_t idle_look, int64_t now)
{
        *waking = (struct waking){ .idle_look = idle_look, .due = now + idle_look, .pause = WAKING_PAUSE_MS };
}

void waking_set(struct waking *waking, const struct waking_state *state, int64_t now)
{
        waking->state = *state;
        waking->pause = WAKING_PAUSE_MS;
        waking->due = state->held ? now : now + waking->idle_look;
}

void waking_byte(struct waking *waking, uint8_t number)
{
        waking->reached = true;
        waking->reached_hold = number;
}

void waking_ended(struct waking *waking, int64_t now)
{
        if (waking->runs == WAKING_WAKE && waking->state.held) {
                waking->due = now + waking->pause;
                waking->pause = waking->pause * 2 < WAKING_PAUSE_MOST_MS ? waking->pause * 2 : WAKING_PAUSE_MOST_MS;
        } else if (!waking->state.held) {
                waking->due = now + waking->idle_look;
        }
        waking->runs = WAKING_NOTHING;
}

static enum waking_act wanted(const struct waking *waking)
{
        if (waking->state.held)
                return waking->reached && waking->reached_hold == waking->state.number ? WAKING_WAKE : WAKING_NOTHING;
        return waking->idle_look > 0 ? WAKING_PARK : WAKING_NOTHING;
}

enum waking_act waking_next(struct waking *waking, int64_t now, int64_t *wait)
{
        enum waking_act act = waking->runs == WAKING_NOTHING ? wanted(waking) : WAKING_NOTHING;

        *wait = -1;
        if (act == WAKING_NOTHING)
                return WAKING_NOTHING;
        if (now < waking->due) {
                *wait = waking->due - now;
                return WAKING_NOTHING;
        }
        waking->runs = act;
        return act;
}
