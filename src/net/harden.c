#include "net/harden.h"

#include <linux/capability.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/os.h"
#include "net/filter.h"
#include "net/landlock.h"

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

int harden_supervisor(const char *socket_path, struct error **err)
{
        if (confine_privileges(1U << CAP_NET_BIND_SERVICE, err) < 0)
                return -1;
        if (landlock_supervisor(socket_path, err) < 0)
                return -1;
        return filter_load(FILTER_SUPERVISOR, err);
}

int harden_worker(struct error **err)
{
        if (confine_privileges(0, err) < 0)
                return -1;
        if (landlock_worker(err) < 0)
                return -1;
        return filter_load(FILTER_WORKER, err);
}

const char *harden_walls(void)
{
        int version = os_landlock();

        if (version == 0)
                return "system calls; this kernel has no Landlock";
        return version < CONFINE_SCOPES ? "system calls, files; this kernel's Landlock has no scopes"
                                        : "system calls, files, scopes";
}
