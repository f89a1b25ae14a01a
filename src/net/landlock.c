#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/file.h"

#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* All that the first version knows: what a newer kernel adds (truncation, device ioctls) seccomp leaves no way to. */
#define ALL                                                                                                                    \
        (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | READING | LANDLOCK_ACCESS_FS_REMOVE_DIR |                \
         LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |                         \
         LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                           \
         LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static const char resolv_conf[] = "/etc/resolv.conf";

/* Who writes resolv.conf replaces it by rename, and may lead it elsewhere: so folders, and all that are usual. */
static const char *const readable[] = {
        "/etc", "/run/NetworkManager", "/run/connman", "/run/resolvconf", "/run/systemd/resolve", "/dev/urandom",
};

/* A path that isn't there needs no rule. */
static int allow(int rules, const char *path, uint64_t access, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_PATH | O_CLOEXEC);
        struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0)
                return 0;
        if (!S_ISDIR(status.st_mode))
                rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
        if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot limit access to files to '%s'", path);
        return 0;
}

static int allow_folder_of(int rules, const char *path, uint64_t access, struct error **err)
{
        _cleanup_(freep) char *folder = path_folder(path);

        return allow(rules, folder, access, err);
}

static int fill(int rules, const char *socket_path, struct error **err)
{
        _cleanup_(freep) char *target = realpath(resolv_conf, NULL);

        for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
                if (allow(rules, readable[i], READING, err) < 0)
                        return -1;
        if (target && allow_folder_of(rules, target, READING, err) < 0)
                return -1;
        if (!socket_path)
                return 0;
        return allow_folder_of(rules, socket_path, LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE, err);
}

int landlock_restrict(const char *socket_path, struct error **err)
{
        const struct landlock_ruleset_attr attributes = { .handled_access_fs = ALL };
        _cleanup_(closep) int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);

        /* Not built in, not switched on, or out of reach in a container. */
        if (rules < 0)
                return 0;
        if (fill(rules, socket_path, err) < 0)
                return -1;
        if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot limit access to files");
        return 0;
}
