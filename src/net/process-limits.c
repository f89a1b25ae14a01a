#include "net/process-limits.h"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * The limit of descriptors, and how many of them the guest can't have: they are for connections from the host, which take two
 * each (libslirp ends the process when it gets none), and for what one batch opens.
 */
#define DESCRIPTORS          4096
#define DESCRIPTORS_RESERVED 256

#define MAPPED_FROM (64 << 10) /* bytes; larger allocations are mapped by themselves */

int limits_end_with(pid_t parent, struct error **err)
{
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return error_errno(err, ERROR_FAILED, "cannot bind a process to its parent");
        return getppid() == parent ? 0 : error_set(err, ERROR_FAILED, "the parent process is gone");
}

int limits_descriptors(unsigned *sessions_most, struct error **err)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read the limit of descriptors");
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                return error_errno(err, ERROR_FAILED, "cannot set the limit of descriptors");
        if (limit.rlim_cur <= 2 * DESCRIPTORS_RESERVED)
                return error_set(err, ERROR_FAILED, "the limit of descriptors is too low: %llu",
                                 (unsigned long long)limit.rlim_cur);
        *sessions_most = (unsigned)limit.rlim_cur - DESCRIPTORS_RESERVED;
        return 0;
}

void limits_memory(void)
{
        (void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
        (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}
