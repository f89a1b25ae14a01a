#include "lib/system-calls-linux.h"

#include <errno.h>
#include <sys/mman.h>

int system_calls_allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
        int status = 0;

        for (size_t i = 0; status == 0 && i < count; i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
        return status;
}

int system_calls_allow_memory(scmp_filter_ctx filter)
{
        static const int calls[] = {
                SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(getrandom), SCMP_SYS(futex),
        };
        static const int protections[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
        int status = system_calls_allow(filter, calls, ARRAY_SIZE(calls));

        for (size_t i = 0; status == 0 && i < ARRAY_SIZE(protections); i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, protections[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        return status;
}

int system_calls_allow_end(scmp_filter_ctx filter)
{
        static const int calls[] = {
                SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid),
                SCMP_SYS(gettid),       SCMP_SYS(sched_yield),    SCMP_SYS(sigaltstack), /* for a build with sanitizers */
                SCMP_SYS(exit),         SCMP_SYS(exit_group),
        };

        return system_calls_allow(filter, calls, ARRAY_SIZE(calls));
}

int system_calls_load(scmp_filter_ctx filter, int status, struct error **err)
{
        if (status == 0)
                status = seccomp_load(filter);
        seccomp_release(filter);
        if (status == 0)
                return 0;
        errno = -status;
        return error_errno(err, ERROR_FAILED, "cannot limit system calls");
}
