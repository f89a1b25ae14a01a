#include "net/clock.h"

#include <time.h>

int64_t clock_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_read(const struct clock *clock, int64_t now)
{
        return (clock->stopped != 0 ? clock->stopped : now) - clock->stood;
}

void clock_stop(struct clock *clock, int64_t now)
{
        if (clock->stopped == 0)
                clock->stopped = now;
}

int64_t clock_go_on(struct clock *clock, int64_t now)
{
        int64_t stood = clock->stopped != 0 ? now - clock->stopped : 0;

        clock->stood += stood;
        clock->stopped = 0;
        return stood;
}
