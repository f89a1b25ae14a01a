#include "lib/nest.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"

#define TRIES 3

void nest_clear(struct nest *nest)
{
        if (nest->folder)
                file_remove(nest->folder, NULL);
        lock_release(&nest->lock);
        free(nest->folder);
        *nest = (struct nest)NEST_INIT;
}

/* Takes the lock of a nest. 1 = taken, 0 = somebody works there, or it is not ours. */
static int take(const char *folder, struct lock *lock)
{
        _cleanup_(freep) char *path = path_join(folder, "lock");
        struct stat status;

        if (lstat(folder, &status) < 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid())
                return 0;
        return lock_try(lock, path, LOCK_EXCLUSIVE, NULL) > 0;
}

static void sweep(const char *parent, const char *prefix)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_list(parent, &names, NULL) < 0)
                return;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *folder = path_join(parent, names.items[i]);
                _cleanup_(lock_release) struct lock lock = LOCK_INIT;

                if (starts_with(names.items[i], prefix) && take(folder, &lock) > 0)
                        file_remove(folder, NULL);
        }
}

/* Makes another one if somebody else swept the first away before it was locked. */
int nest_make(const char *parent, const char *prefix, struct nest *out, struct error **err)
{
        int status = 0;

        sweep(parent, prefix);
        for (unsigned i = 0; i < TRIES && status == 0; i++) {
                set_string(&out->folder, xasprintf("%s/%sXXXXXX", parent, prefix));
                status = mkdtemp(out->folder) ? take(out->folder, &out->lock) : -1;
        }
        if (status > 0)
                return 0;
        error_errno(err, ERROR_FAILED, "cannot make a folder in '%s'", parent);
        set_string(&out->folder, NULL);
        return -1;
}
