#include "net/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/system-calls-linux.h"

/* For both processes. libseccomp leaves out a call that this architecture lacks (poll on aarch64, for example). */
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
        SCMP_SYS(recvfrom),
        SCMP_SYS(recvmsg),
        SCMP_SYS(shutdown),
        SCMP_SYS(getsockname),
        SCMP_SYS(getpeername),
        SCMP_SYS(getsockopt),
        SCMP_SYS(setsockopt),
        /* descriptors that are open: the log, rules, account, signals, the waker's pipe */
        SCMP_SYS(read),
        SCMP_SYS(pread64),
        SCMP_SYS(write),
        SCMP_SYS(lseek),
        SCMP_SYS(ftruncate),
        SCMP_SYS(close),
        SCMP_SYS(fstat),
        /* the user we run as */
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
};

/* Starting, ending and replacing workers, and what a worker does before its own list is on. */
static const int supervisor_calls[] = {
        SCMP_SYS(clone),
        SCMP_SYS(clone3),
        SCMP_SYS(wait4),
        SCMP_SYS(waitid),
        SCMP_SYS(kill),
        SCMP_SYS(tgkill),
        SCMP_SYS(clock_getres), /* clock_getcpuclockid(3) */
        SCMP_SYS(sendmsg),
        SCMP_SYS(readv),
        SCMP_SYS(writev),
        SCMP_SYS(stat),
        SCMP_SYS(newfstatat),
        SCMP_SYS(statx),
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

/*
 * Allows TCP, UDP and ping sockets. Every other kind fails as if the kernel had none: libslirp then does without raw sockets,
 * and glibc without interface names in resolv.conf.
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

/* A new worker makes the unix socket, and one to ask the kernel for routes. It gets a channel to the supervisor. */
static int allow_supervisor_sockets(scmp_filter_ctx filter)
{
        static const unsigned families[] = { AF_INET, AF_UNIX, AF_NETLINK };
        int status = 0;

        for (size_t i = 0; status == 0 && i < ARRAY_SIZE(families); i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, families[i]));
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
        return status;
}

/* Allows setting whether a descriptor blocks and is closed by exec; not who is signalled about it, no leases, no seals. */
static int limit_fcntl(scmp_filter_ctx filter)
{
        static const unsigned commands[] = { F_GETFL, F_SETFL, F_GETFD, F_SETFD };
        int status = 0;

        for (size_t i = 0; status == 0 && i < ARRAY_SIZE(commands); i++)
                status = commands[i] == F_SETFL
                                 ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2, SCMP_A1(SCMP_CMP_EQ, F_SETFL),
                                                    SCMP_A2(SCMP_CMP_MASKED_EQ, O_ASYNC, 0))
                                 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                                    SCMP_A1(SCMP_CMP_EQ, commands[i]));
        return status;
}

static int limit_arguments(scmp_filter_ctx filter)
{
        int status = limit_fcntl(filter);

        /* fstat(3) of what is open. */
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH));
        /* No urgent data. */
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_OOB, 0));
        /* FIONREAD says how long a datagram is. Anything else that a library asks for, such as a terminal's width, fails. */
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD));
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_NE, FIONREAD));
        return status;
}

static int fill(scmp_filter_ctx filter, enum filter_kind kind)
{
        int status = system_calls_allow(filter, common_calls, ARRAY_SIZE(common_calls));

        if (status == 0)
                status = system_calls_allow_memory(filter);
        if (status == 0)
                status = system_calls_allow_end(filter);
        if (status == 0)
                status = limit_arguments(filter);
        if (status != 0)
                return status;
        if (kind == FILTER_SUPERVISOR) {
                status = system_calls_allow(filter, supervisor_calls, ARRAY_SIZE(supervisor_calls));
                /* Files may only be read: /etc/resolv.conf and, when a worker starts, random numbers. */
                if (status == 0)
                        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                                  SCMP_A2(SCMP_CMP_MASKED_EQ, WRITING, O_RDONLY));
                return status == 0 ? allow_supervisor_sockets(filter) : status;
        }
        status = limit_sockets(filter);
        /* For abort(3). The process can signal only itself. */
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                          SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
        return status;
}

int filter_load(enum filter_kind kind, struct error **err)
{
        scmp_filter_ctx filter = seccomp_init(kind == FILTER_WORKER ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
        int status = filter ? fill(filter, kind) : -ENOMEM;

        return system_calls_load(filter, status, err);
}
