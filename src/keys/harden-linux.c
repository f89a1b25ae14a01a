#include "keys/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/system-calls-linux.h"

/* 64 connections of the guest's, one to the agent for each, and our own. */
#define DESCRIPTORS_MOST 160
#define MEMORY_MOST      (64 << 20)
#define FILE_MOST        (64 << 10) /* it has no file; --walls may print to one */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

/* New descriptors come only from accept() and recvmsg(). */
static const int calls[] = {
        /* the loop, and the time */
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(time),
        SCMP_SYS(restart_syscall),
        /* the guest's connections, the agent's, the channel */
        SCMP_SYS(accept),
        SCMP_SYS(accept4),
        SCMP_SYS(sendto),
        SCMP_SYS(recvfrom),
        SCMP_SYS(recvmsg),
        SCMP_SYS(read),
        SCMP_SYS(write),
        SCMP_SYS(writev),
        SCMP_SYS(close),
        SCMP_SYS(fstat),
};

/* What a library may try, and can do without: these calls fail, while others end the process. */
static const struct {
        int call, error;
} refused[] = {
        { SCMP_SYS(open), EACCES },     { SCMP_SYS(openat), EACCES },     { SCMP_SYS(newfstatat), EACCES },
        { SCMP_SYS(readlink), EACCES }, { SCMP_SYS(readlinkat), EACCES }, { SCMP_SYS(ioctl), ENOTTY },
};

/* Lets fcntl(2) set O_NONBLOCK only: not who is signalled (F_SETOWN, F_SETSIG, O_ASYNC), no leases, no pipe sizes. */
static int allow_fcntl(scmp_filter_ctx filter)
{
        int status =
                seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, F_GETFL));

        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2,
                                          SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, F_SETFL),
                                          SCMP_A2(SCMP_CMP_MASKED_EQ, UINT32_MAX, O_NONBLOCK));
        return status;
}

static int allow_by_arguments(scmp_filter_ctx filter)
{
        int status = allow_fcntl(filter);

        /* For abort(3). The process can signal only itself. */
        if (status == 0)
                status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                          SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
        return status;
}

static int fill(scmp_filter_ctx filter)
{
        int status = system_calls_allow(filter, calls, ARRAY_SIZE(calls));

        if (status == 0)
                status = system_calls_allow_memory(filter);
        if (status == 0)
                status = system_calls_allow_end(filter);
        for (size_t i = 0; status == 0 && i < ARRAY_SIZE(refused); i++)
                status = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)refused[i].error), refused[i].call, 0);
        return status == 0 ? allow_by_arguments(filter) : status;
}

#ifdef IS_SANITIZED
#include <sanitizer/lsan_interface.h>

static bool hardened;

/* Leaks are looked for by another process, which may not be started any more. */
int __lsan_is_turned_off(void) /* NOLINT(bugprone-reserved-identifier) */
{
        return hardened;
}
#define SAY_HARDENED() (hardened = true)
#else
#define SAY_HARDENED() ((void)0)
#endif

static int limit_resources(struct error **err)
{
        static const struct {
                int resource;
                uint64_t most;
        } limits[] = {
                { RLIMIT_NOFILE, DESCRIPTORS_MOST }, { RLIMIT_FSIZE, FILE_MOST }, { RLIMIT_NPROC, 0 }, { RLIMIT_MEMLOCK, 0 },
#ifndef IS_SANITIZED
                { RLIMIT_DATA, MEMORY_MOST }, /* far above what it keeps for a guest (inner.h) */
#endif
        };

        for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
                if (confine_resource(limits[i].resource, limits[i].most, err) < 0)
                        return -1;
        return 0;
}

static int load_filter(struct error **err)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
        int status = filter ? fill(filter) : -ENOMEM;

        return system_calls_load(filter, status, err);
}

int keys_harden(struct keys_walls *walls, struct error **err)
{
        *walls = (struct keys_walls){ 0 };
        if (confine_privileges(0, err) < 0 || limit_resources(err) < 0)
                return -1;
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot keep other processes from reading our memory");
        if (confine_landlock(NULL, 0, false, &walls->landlock, err) < 0 || load_filter(err) < 0)
                return -1;
        walls->scopes = walls->landlock >= CONFINE_SCOPES;
        walls->system_calls = true;
        SAY_HARDENED();
        return 0;
}
