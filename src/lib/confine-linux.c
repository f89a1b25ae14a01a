#include "lib/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/os.h"

/* The kernel's header may be older than the kernel. Source: linux/landlock.h, landlock(7). */
struct attributes {
        uint64_t files, network, scopes;
};

static const struct {
        int version;
        struct attributes adds;
} versions[] = {
        { 1, { .files = (1 << 13) - 1 } },
        { 2, { .files = 1 << 13 } },         /* REFER */
        { 3, { .files = 1 << 14 } },         /* TRUNCATE */
        { 4, { .network = 3 } },             /* BIND_TCP, CONNECT_TCP */
        { 5, { .files = 1 << 15 } },         /* IOCTL_DEV */
        { CONFINE_SCOPES, { .scopes = 3 } }, /* ABSTRACT_UNIX_SOCKET, SIGNAL */
};

/* The rights to a folder that can also be given for a file. */
#define FILE_RIGHTS                                                                                                            \
        (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | 1 << 14 | 1 << 15)

static int drop_capabilities(uint32_t kept, struct error **err)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read our capabilities");
        for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
                data[i].permitted &= i == 0 ? kept : 0;
                data[i].effective = data[i].permitted;
                data[i].inheritable = 0;
        }
        if (syscall(SYS_capset, &header, data) < 0)
                return error_errno(err, ERROR_FAILED, "cannot give up capabilities");
        return 0;
}

int confine_privileges(uint32_t kept, struct error **err)
{
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot rule out new privileges");
        if (os_forbid_core() < 0)
                return error_errno(err, ERROR_FAILED, "cannot turn off core dumps");
        return drop_capabilities(kept, err);
}

int confine_resource(int resource, uint64_t most, struct error **err)
{
        struct rlimit limit;

        if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read a resource limit");
        limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
        limit.rlim_cur = limit.rlim_cur < limit.rlim_max ? limit.rlim_cur : limit.rlim_max;
        if (setrlimit((__rlimit_resource_t)resource, &limit) < 0)
                return error_errno(err, ERROR_FAILED, "cannot limit resources");
        return 0;
}

static struct attributes attributes_of(int version, bool tcp)
{
        struct attributes all = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(versions) && versions[i].version <= version; i++) {
                all.files |= versions[i].adds.files;
                all.network |= tcp ? 0 : versions[i].adds.network;
                all.scopes |= versions[i].adds.scopes;
        }
        return all;
}

/* `known`: the rights that this version has. */
static int allow(int rules, const struct confine_path *place, uint64_t known, struct error **err)
{
        _cleanup_(closep) int fd = open(place->path, O_PATH | O_CLOEXEC);
        struct landlock_path_beneath_attr rule = { .allowed_access = place->access & known, .parent_fd = fd };
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0)
                return 0;
        if (!S_ISDIR(status.st_mode))
                rule.allowed_access &= FILE_RIGHTS;
        if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot limit file access to '%s'", place->path);
        return 0;
}

int confine_landlock(const struct confine_path *paths, size_t count, bool tcp, int *version, struct error **err)
{
        int known = os_landlock();
        struct attributes attributes = attributes_of(known, tcp);
        _cleanup_(closep) int rules = -1;

        *version = known;
        /* Not built in, not switched on, or out of reach in a container. */
        if (known == 0)
                return 0;
        rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
        if (rules < 0)
                return error_errno(err, ERROR_FAILED, "cannot limit access to files");
        for (size_t i = 0; i < count; i++)
                if (allow(rules, &paths[i], attributes.files, err) < 0)
                        return -1;
        if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot limit access to files");
        return 0;
}
