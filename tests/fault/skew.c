/* Loaded before libc: moves the clock of this computer for one program, by SKEW_SECONDS. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
        int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
        const char *skew = getenv("SKEW_SECONDS");
        int status = real(clock, now);

        if (status == 0 && clock == CLOCK_REALTIME && skew)
                now->tv_sec += atol(skew);
        return status;
}
