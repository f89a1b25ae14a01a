/* file_remove(): in a file of its own because it is the only function here that destroys anything. */
#include "lib/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many times a folder is emptied: somebody may still put a file there (a lock, say) in the meantime. */
#define ROUNDS 4

static int failed(struct error **err, const char *doing, const char *shown)
{
        error_errno(err, ERROR_FAILED, "cannot %s '%s'", doing, shown);
        return file_hint(err, shown, errno);
}

static int remove_at(int parent, const char *name, const char *shown, struct error **err);

/* Opens the folder `name` itself (no symlink), and gives us the right to read and change it. */
static int open_folder_at(int parent, const char *name)
{
        const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        _cleanup_(closep) int fd = openat(parent, name, flags);
        struct stat status;

        if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
                fd = openat(parent, name, flags);
        if (fd < 0 || fstat(fd, &status) < 0)
                return -1;
        /* When the mode is not ours to change, removing the content fails and says why. */
        if ((status.st_mode & 0700) != 0700 && status.st_uid == geteuid() && fchmod(fd, status.st_mode | 0700) < 0)
                return -1;
        return TAKE_FD(fd);
}

/* The names in the open folder `fd`. All are read first, because removing while reading may skip some. */
static int list_names(int fd, struct strv *names)
{
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        DIR *stream = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;
        int failure;

        if (!stream) {
                closep(&copy);
                return -1;
        }
        rewinddir(stream);
        while (errno = 0, (entry = readdir(stream)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        strv_add(names, entry->d_name);
        failure = errno;
        closedir(stream);
        errno = failure;
        return failure == 0 ? 0 : -1;
}

static int empty_folder(int fd, const char *shown, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (list_names(fd, &names) < 0)
                return failed(err, "read folder", shown);
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(shown, names.items[i]);

                if (remove_at(fd, names.items[i], path, err) < 0)
                        return -1;
        }
        return 0;
}

/* Removes `name` in the open folder `parent`; `shown` is its path, for messages only. */
static int remove_at(int parent, const char *name, const char *shown, struct error **err)
{
        _cleanup_(closep) int fd = -1;
        struct stat status;

        if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : failed(err, "remove", shown);
        if (!S_ISDIR(status.st_mode)) {
                if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
                        return 0;
                return failed(err, "remove", shown);
        }

        fd = open_folder_at(parent, name);
        if (fd < 0)
                return errno == ENOENT ? 0 : failed(err, "open folder", shown);
        for (int round = 0; round < ROUNDS; round++) {
                if (empty_folder(fd, shown, err) < 0)
                        return -1;
                if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        return 0;
                if (errno != ENOTEMPTY && errno != EEXIST)
                        break;
        }
        return failed(err, "remove folder", shown);
}

int file_remove(const char *path, struct error **err)
{
        _cleanup_(freep) char *folder = path_folder(path);
        _cleanup_(freep) char *name = path_base(path);
        _cleanup_(closep) int parent = -1;

        if (*path == '\0' || streq(name, "/") || streq(name, ".") || streq(name, ".."))
                return error_set(err, ERROR_FAILED, "refusing to remove '%s'", path);
        parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
                return errno == ENOENT ? 0 : failed(err, "open folder", folder);
        return remove_at(parent, name, path, err);
}
