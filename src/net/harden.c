#include "harden.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "landlock.h"
#include "lib/os.h"

static int compare_fds(const void *a, const void *b)
{
        int left = *(const int *)a;
        int right = *(const int *)b;

        return (left > right) - (left < right);
}

int harden_close_others(const int *keep, size_t count, struct error **err)
{
        _cleanup_(freep) int *sorted = xmemdup(keep, count * sizeof(*keep));
        int first = STDERR_FILENO + 1;

        qsort(sorted, count, sizeof(*sorted), compare_fds);
        for (size_t i = 0; i <= count; i++) {
                unsigned last = i < count ? (unsigned)(sorted[i] - 1) : ~0U;

                if (i < count && sorted[i] < first)
                        continue;
                if ((unsigned)first <= last && close_range((unsigned)first, last, 0) < 0)
                        return error_errno(err, ERROR_FAILED, "cannot close descriptors");
                if (i < count)
                        first = sorted[i] + 1;
        }
        return 0;
}

/* `kept`: bits of the capabilities that stay. */
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

static int drop_common(uint32_t capabilities, struct error **err)
{
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot give up new privileges");
        if (os_forbid_core() < 0)
                return error_errno(err, ERROR_FAILED, "cannot give up core dumps");
        return drop_capabilities(capabilities, err);
}

int harden_supervisor(const char *socket_path, struct error **err)
{
        if (drop_common(1U << CAP_NET_BIND_SERVICE, err) < 0)
                return -1;
        if (landlock_restrict(socket_path, err) < 0)
                return -1;
        return filter_load(FILTER_SUPERVISOR, err);
}

int harden_worker(struct error **err)
{
        if (drop_common(0, err) < 0)
                return -1;
        if (landlock_restrict(NULL, err) < 0)
                return -1;
        return filter_load(FILTER_WORKER, err);
}
