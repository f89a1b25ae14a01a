#include "lib/deadline.h"

#include <limits.h>
#include <time.h>

int64_t now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

deadline deadline_in(int timeout_ms)
{
        return timeout_ms < 0 ? DEADLINE_NEVER : now_ms() + timeout_ms;
}

int deadline_left(deadline when)
{
        int64_t left;

        if (when == DEADLINE_NEVER)
                return -1;
        left = when - now_ms();
        if (left <= 0)
                return 0;
        return left > INT_MAX ? INT_MAX : (int)left;
}
