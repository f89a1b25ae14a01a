#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* For both. Where a machine lacks one (poll on aarch64, say), libseccomp leaves it out. */
static const int common_calls[] = {
        /* the loop, and time where the vdso doesn't give it */
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(time),
        SCMP_SYS(restart_syscall),
        /* sockets; making them is limited below */
        SCMP_SYS(connect),
        SCMP_SYS(bind), /* libslirp holds a port for each connection to the unix socket */
        SCMP_SYS(accept),
        SCMP_SYS(accept4),
        SCMP_SYS(sendto),
        SCMP_SYS(sendmsg),
        SCMP_SYS(recvfrom),
        SCMP_SYS(recvmsg),
        SCMP_SYS(shutdown),
        SCMP_SYS(getsockname),
        SCMP_SYS(getpeername),
        SCMP_SYS(getsockopt),
        SCMP_SYS(setsockopt),
        /* descriptors that are open; the log, /etc/resolv.conf */
        SCMP_SYS(read),
        SCMP_SYS(readv),
        SCMP_SYS(pread64),
        SCMP_SYS(write),
        SCMP_SYS(writev),
        SCMP_SYS(lseek),
        SCMP_SYS(ftruncate),
        SCMP_SYS(close),
        SCMP_SYS(fstat),
        SCMP_SYS(stat),
        SCMP_SYS(newfstatat),
        SCMP_SYS(statx),
        SCMP_SYS(fcntl),
        /* memory; making it executable is left out below */
        SCMP_SYS(brk),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(madvise),
        SCMP_SYS(getrandom),
        SCMP_SYS(futex),
        /* abort(3), the end */
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
        SCMP_SYS(sched_yield),
        SCMP_SYS(sigaltstack), /* of a build with sanitizers */
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
};

/* Starting, ending and replacing workers, and what a worker does before its own list is on. */
static const int supervisor_calls[] = {
        SCMP_SYS(clone),
        SCMP_SYS(clone3),
        SCMP_SYS(wait4),
        SCMP_SYS(waitid),
        SCMP_SYS(kill),
        SCMP_SYS(tgkill),
        SCMP_SYS(rt_sigtimedwait),
        SCMP_SYS(set_robust_list),
        SCMP_SYS(set_tid_address),
        SCMP_SYS(rseq),
        SCMP_SYS(getppid),
        SCMP_SYS(prctl),
        SCMP_SYS(seccomp),
        SCMP_SYS(capget),
        SCMP_SYS(capset),
        SCMP_SYS(prlimit64),
        SCMP_SYS(setrlimit),
        SCMP_SYS(getrlimit),
        SCMP_SYS(close_range),
        SCMP_SYS(listen),
        SCMP_SYS(unlink),
        SCMP_SYS(unlinkat),
        SCMP_SYS(readlink),
        SCMP_SYS(readlinkat),
        SCMP_SYS(landlock_create_ruleset),
        SCMP_SYS(landlock_add_rule),
        SCMP_SYS(landlock_restrict_self),
};

#define WRITING (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)

static int allow_all(scmp_filter_ctx filter, const int *calls, size_t count)
{
        int status = 0;

        for (size_t i = 0; status == 0 && i < count; i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
        return status;
}

/*
 * TCP, UDP and ping sockets. For what else is asked for it is as if the kernel had none: libslirp then does without raw
 * sockets, and glibc without interface names in resolv.conf.
 */
static int limit_sockets(scmp_filter_ctx filter)
{
        static const unsigned types[] = { SOCK_STREAM, SOCK_DGRAM };
        int status = 0;

        for (size_t i = 0; status == 0 && i < ARRAY_SIZE(types); i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_INET),
                                          SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, types[i]));
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_INET),
                                          SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW));
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                          SCMP_A0(SCMP_CMP_NE, AF_INET));
        return status;
}

/* A new worker makes the unix socket, and one to ask the kernel for routes. */
static int allow_supervisor_sockets(scmp_filter_ctx filter)
{
        static const unsigned families[] = { AF_INET, AF_UNIX, AF_NETLINK };
        int status = 0;

        for (size_t i = 0; status == 0 && i < ARRAY_SIZE(families); i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, families[i]));
        return status;
}

static int limit_arguments(scmp_filter_ctx filter)
{
        static const int protections[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
        int status;

        /* Files only to read: /etc/resolv.conf, and at the start of a worker random numbers. */
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, WRITING, O_RDONLY));
        for (size_t i = 0; status == 0 && i < ARRAY_SIZE(protections); i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, protections[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        /* FIONREAD: how long a datagram is. Whatever else a library tries to find out, a terminal's width say: no. */
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD));
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_NE, FIONREAD));
        return status;
}

static int fill(scmp_filter_ctx filter, enum filter_kind kind)
{
        int status = allow_all(filter, common_calls, ARRAY_SIZE(common_calls));

        if (status == 0)
                status = limit_arguments(filter);
        if (status != 0)
                return status;
        if (kind == FILTER_SUPERVISOR) {
                status = allow_all(filter, supervisor_calls, ARRAY_SIZE(supervisor_calls));
                return status == 0 ? allow_supervisor_sockets(filter) : status;
        }
        status = limit_sockets(filter);
        /* abort(3) signals itself, and nobody else. */
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                          SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
        return status;
}

int filter_load(enum filter_kind kind, struct error **err)
{
        scmp_filter_ctx filter = seccomp_init(kind == FILTER_WORKER ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
        int status = filter ? fill(filter, kind) : -ENOMEM;

        if (status == 0)
                status = seccomp_load(filter);
        seccomp_release(filter);
        if (status == 0)
                return 0;
        errno = -status;
        return error_errno(err, ERROR_FAILED, "cannot limit system calls");
}
