#include "log/harden.h"

#include <errno.h>
#include <sys/prctl.h>

#include "lib/confine.h"
#include "lib/system-calls-linux.h"

static const int calls[] = {
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(read),
        SCMP_SYS(pread64),
        SCMP_SYS(pwrite64),
        SCMP_SYS(ftruncate),
        SCMP_SYS(close),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        /* for a build with sanitizers */
        SCMP_SYS(gettid),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(sched_yield),
};

static int fill(scmp_filter_ctx filter)
{
        int status = system_calls_allow(filter, calls, ARRAY_SIZE(calls));

        return status == 0 ? system_calls_allow_memory(filter) : status;
}

int log_harden(struct error **err)
{
        scmp_filter_ctx filter;
        int version;
        int status;

        if (confine_privileges(0, err) < 0 || confine_landlock(NULL, 0, false, &version, err) < 0)
                return -1;
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot keep other processes from reading our memory");
        filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        status = filter ? fill(filter) : -ENOMEM;
        return system_calls_load(filter, status, err);
}
