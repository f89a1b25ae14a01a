#include "keys/harden.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Where a machine lacks one, libseccomp leaves it out. */
static const int calls[] = {
        /* the loop, and the time of a line of the log */
        SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(clock_gettime), SCMP_SYS(restart_syscall),
        /* the guest's connections and the agent's; making one is limited below */
        SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(sendto), SCMP_SYS(read), SCMP_SYS(write),
        SCMP_SYS(writev), SCMP_SYS(fcntl), SCMP_SYS(close),
        /* the log, the socket's end */
        SCMP_SYS(openat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(ftruncate), SCMP_SYS(lseek),
        SCMP_SYS(unlink), SCMP_SYS(unlinkat),
        /* the program's end, and ours */
        SCMP_SYS(wait4), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        /* memory; making it executable is left out below */
        SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(getrandom), SCMP_SYS(futex),
        SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sched_yield), SCMP_SYS(sigaltstack), /* of a build with sanitizers */
};

static int fill(scmp_filter_ctx filter, pid_t child)
{
        static const int protections[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
        int status = 0;

        for (size_t i = 0; status == 0 && i < ARRAY_SIZE(calls); i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
        for (size_t i = 0; status == 0 && i < ARRAY_SIZE(protections); i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, protections[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)child));
        return status;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>

static bool hardened;

/* Leaks are looked for by a process that isn't allowed any more. */
int __lsan_is_turned_off(void) /* NOLINT(bugprone-reserved-identifier) */
{
        return hardened;
}
#define SAY_HARDENED() (hardened = true)
#endif
#endif
#ifndef SAY_HARDENED
#define SAY_HARDENED() ((void)0)
#endif

int keys_harden(pid_t child, struct error **err)
{
        scmp_filter_ctx filter;
        int status;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot give up new privileges");
        filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        status = filter ? fill(filter, child) : -ENOMEM;
        if (status == 0)
                status = seccomp_load(filter);
        seccomp_release(filter);
        if (status == 0) {
                SAY_HARDENED();
                return 0;
        }
        errno = -status;
        return error_errno(err, ERROR_FAILED, "cannot limit system calls");
}
