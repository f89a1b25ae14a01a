#include "net/landlock.h"

#include <linux/landlock.h>

#include "lib/confine.h"
#include "lib/file.h"

#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define SOCKETS (LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)

static const char resolv_conf[] = "/etc/resolv.conf";

/* Programs replace resolv.conf by rename, and may link it elsewhere. So these are folders, all the usual ones. */
static const char *const readable[] = {
        "/etc", "/run/NetworkManager", "/run/connman", "/run/resolvconf", "/run/systemd/resolve", "/dev/urandom",
};

int landlock_supervisor(const char *socket_path, struct error **err)
{
        struct confine_path paths[ARRAY_SIZE(readable) + 2];
        _cleanup_(freep) char *target = realpath(resolv_conf, NULL);
        _cleanup_(freep) char *target_folder = target ? path_folder(target) : NULL;
        _cleanup_(freep) char *socket_folder = socket_path ? path_folder(socket_path) : NULL;
        size_t count = 0;
        int version;

        for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
                paths[count++] = (struct confine_path){ readable[i], READING };
        if (target_folder)
                paths[count++] = (struct confine_path){ target_folder, READING };
        if (socket_folder)
                paths[count++] = (struct confine_path){ socket_folder, SOCKETS };
        return confine_landlock(paths, count, true, &version, err);
}

int landlock_worker(struct error **err)
{
        int version;

        return confine_landlock(NULL, 0, true, &version, err);
}
