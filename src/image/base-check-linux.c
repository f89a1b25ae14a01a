#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "image/base-build.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/text.h"

#define LAYER_SPACE     (INT64_C(3) << 30)
#define WORK_SPACE      (INT64_C(2) << 30)
#define SUBORDINATE_IDS 65536

static int check_program(const char *program, const char *package, struct error **err)
{
        _cleanup_(freep) char *found = process_find(program);
        /* This folder is not in everybody's PATH, but mmdebstrap looks there. */
        _cleanup_(freep) char *system = path_join("/usr/sbin", program);

        if (found || access(system, X_OK) == 0)
                return 0;
        error_set(err, ERROR_ENGINE, "cannot build a base image: '%s' is not installed", program);
        return error_hint(err, "sudo apt-get install %s", package);
}

static int check_space(const char *folder, int64_t wanted, struct error **err)
{
        struct statvfs status;
        int64_t left;

        if (statvfs(folder, &status) < 0)
                return error_errno(err, ERROR_FAILED, "cannot find out the free space of '%s'", folder);
        left = (int64_t)status.f_bavail * (int64_t)status.f_frsize;
        if (left < wanted) {
                _cleanup_(freep) char *have = text_format_size(left);
                _cleanup_(freep) char *want = text_format_size(wanted);
                _cleanup_(freep) char *shown = text_shell_path(folder);

                error_set(err, ERROR_ENGINE, "cannot build a base image: '%s' has %s free, but %s are needed", folder, have,
                          want);
                return error_hint(err, "make room there: df -h %s", shown);
        }
        return 0;
}

/* Does `file` (/etc/subuid, /etc/subgid) have a large enough range for the user? */
static bool has_range(const char *file, const char *name, uid_t uid)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *number = xasprintf("%u", (unsigned)uid);
        char *save = NULL;

        if (file_read(file, 1 << 20, &text, NULL) < 0)
                return false;
        for (char *line = strtok_r(text.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *start = strchr(line, ':');
                char *count = start ? strchr(start + 1, ':') : NULL;
                int64_t ids;

                if (!count)
                        continue;
                *start = '\0';
                if ((streq(line, name) || streq(line, number)) && text_parse_int(count + 1, 1, INT64_MAX, &ids) == 0 &&
                    ids >= SUBORDINATE_IDS)
                        return true;
        }
        return false;
}

static int check_ranges(struct error **err)
{
        const struct passwd *user = getpwuid(geteuid());
        static const char *const files[] = { "/etc/subuid", "/etc/subgid" };

        if (!user)
                return error_set(err, ERROR_ENGINE, "cannot build a base image: user %u has no name", (unsigned)geteuid());
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                if (has_range(files[i], user->pw_name, user->pw_uid))
                        continue;
                error_set(err, ERROR_ENGINE, "cannot build a base image: '%s' has no range of %d ids for '%s'", files[i],
                          SUBORDINATE_IDS, user->pw_name);
                return error_hint(err, "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s",
                                  user->pw_name);
        }
        return 0;
}

/* The kernel setting in that file; -1 when there is none. */
static int64_t kernel_setting(const char *path)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        int64_t value;

        if (file_read(path, 64, &text, NULL) < 0)
                return -1;
        strbuf_trim_end(&text);
        return text_parse_int(text.buf, INT64_MIN, INT64_MAX, &value) == 0 ? value : -1;
}

/* Asks mmdebstrap itself, because a security profile may allow it what it forbids other programs. */
static int check_namespaces(struct error **err)
{
        const char *const argv[] = { "mmdebstrap", "--unshare-helper", "true", NULL };

        if (process_check(&(struct process_spec){ .argv = argv, .folder = "/" }, NULL, err) == 0)
                return 0;
        error_wrap(err, "cannot build a base image: user namespaces don't work here");
        error_set_kind(err, ERROR_ENGINE);
        if (kernel_setting("/proc/sys/user/max_user_namespaces") == 0)
                return error_hint(err, "sudo sysctl user.max_user_namespaces=15000");
        if (kernel_setting("/proc/sys/kernel/unprivileged_userns_clone") == 0)
                return error_hint(err, "sudo sysctl kernel.unprivileged_userns_clone=1");
        if (kernel_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
                return error_hint(err, "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0");
        return -1;
}

static int check_work_space(const char *layers, struct error **err)
{
        const char *parent = getenv("TMPDIR");
        struct stat layers_status, work_status;

        parent = parent && *parent ? parent : "/var/tmp";
        if (stat(layers, &layers_status) < 0 || stat(parent, &work_status) < 0)
                return error_errno(err, ERROR_FAILED, "cannot look at '%s'", parent);
        return layers_status.st_dev == work_status.st_dev ? 0 : check_space(parent, WORK_SPACE, err);
}

int base_build_check(const char *layers, struct error **err)
{
        if (check_program("mmdebstrap", "mmdebstrap", err) < 0 || check_program("mke2fs", "e2fsprogs", err) < 0 ||
            check_program("qemu-img", "qemu-utils", err) < 0)
                return -1;
        if (geteuid() != 0 &&
            (check_program("newuidmap", "uidmap", err) < 0 || check_ranges(err) < 0 || check_namespaces(err) < 0))
                return -1;
        return check_space(layers, LAYER_SPACE, err) < 0 || check_work_space(layers, err) < 0 ? -1 : 0;
}
