#include "lib/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/os.h"
#include "lib/text.h"

/* The kind of a failed open: a missing file has a kind of its own. */
static enum error_kind open_failure_kind(void)
{
        return errno == ENOENT ? ERROR_NOT_FOUND : ERROR_FAILED;
}

/* An error with the reason of the system, and what can be done about it. */
static int failed(struct error **err, enum error_kind kind, const char *doing, const char *path)
{
        error_errno(err, kind, "cannot %s '%s'", doing, path);
        return file_hint(err, path, errno);
}

/* `path` without slashes at its end, which would make the system follow a symlink. Owned by the caller. */
static char *strip_slashes(const char *path)
{
        size_t length = strlen(path);

        while (length > 1 && path[length - 1] == '/')
                length--;
        return xstrndup(path, length);
}

int file_read_fd(int fd, const char *name, size_t limit, struct strbuf *out, struct error **err)
{
        size_t before = out->len;

        for (;;) {
                size_t left = limit - (out->len - before);
                size_t wanted = left < 64 * 1024 ? left + 1 : 64 * 1024; /* one byte over the limit shows that there is more */
                ssize_t got;

                strbuf_reserve(out, wanted);
                got = read(fd, out->buf + out->len, wanted);
                if (got == 0)
                        return 0;
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        failed(err, ERROR_FAILED, "read", name);
                if (got > 0 && (size_t)got <= left) {
                        out->len += (size_t)got;
                        out->buf[out->len] = '\0';
                        continue;
                }
                if (got > 0) {
                        _cleanup_(freep) char *size = text_format_size((int64_t)limit);

                        error_set(err, ERROR_FAILED, "'%s' is larger than %s", name, size);
                }
                out->len = before;
                out->buf[out->len] = '\0';
                return -1;
        }
}

int file_read(const char *path, size_t limit, struct strbuf *out, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return failed(err, open_failure_kind(), "open", path);
        return file_read_fd(fd, path, limit, out, err);
}

/* The name says whose they are: only these are removed when nobody writes them any more. */
#define TEMPORARY_PREFIX ".machine-tmp-"
#define TEMPORARY_TRIES  5

/* A new file beside another one, before it gets that one's name. Its writer holds a lock on it. */
struct temporary {
        char *path;
        int fd;
};

#define TEMPORARY_INIT                                                                                                         \
        {                                                                                                                      \
                .fd = -1                                                                                                       \
        }

static void temporary_clear(struct temporary *temporary)
{
        closep(&temporary->fd);
        free(temporary->path);
}

static void remove_if_left(const char *path)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat status;

        if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
                unlink(path);
}

/* Removes what killed programs have left in the folder. */
static void sweep(const char *folder)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_list(folder, &names, NULL) < 0)
                return;
        for (size_t i = 0; i < names.count; i++)
                if (starts_with(names.items[i], TEMPORARY_PREFIX)) {
                        _cleanup_(freep) char *path = path_join(folder, names.items[i]);

                        remove_if_left(path);
                }
}

/* Makes another one when somebody swept the first away before it was locked. */
static int make_temporary(const char *folder, struct temporary *out)
{
        for (unsigned i = 0; i < TEMPORARY_TRIES; i++) {
                struct stat status;

                closep(&out->fd);
                set_string(&out->path, path_join(folder, TEMPORARY_PREFIX "XXXXXX"));
                out->fd = mkostemp(out->path, O_CLOEXEC);
                if (out->fd < 0)
                        return -1;
                if (flock(out->fd, LOCK_SH | LOCK_NB) == 0 && fstat(out->fd, &status) == 0 && status.st_nlink > 0)
                        return 0;
        }
        errno = EAGAIN;
        return -1;
}

/* Writes `data` to a new file beside `path` and syncs it. */
static int write_beside(const char *path, const void *data, size_t length, mode_t mode, struct temporary *out,
                        struct error **err)
{
        _cleanup_(freep) char *folder = path_folder(path);

        sweep(folder);
        if (make_temporary(folder, out) < 0)
                return failed(err, open_failure_kind(), "write", path);
        if (fchmod(out->fd, mode) == 0 && write_all(out->fd, data, length) == 0 && os_sync(out->fd) == 0)
                return 0;
        error_errno(err, ERROR_FAILED, "cannot write '%s'", path);
        unlink(out->path);
        return -1;
}

static int sync_folder_of(const char *path, struct error **err)
{
        _cleanup_(freep) char *folder = path_folder(path);

        return file_sync_folder(folder, err);
}

int file_write(const char *path, const void *data, size_t length, mode_t mode, struct error **err)
{
        _cleanup_(temporary_clear) struct temporary temporary = TEMPORARY_INIT;

        if (write_beside(path, data, length, mode, &temporary, err) < 0)
                return -1;
        if (rename(temporary.path, path) < 0) {
                failed(err, ERROR_FAILED, "write", path);
                unlink(temporary.path);
                return -1;
        }
        return sync_folder_of(path, err);
}

int file_write_text(const char *path, const char *text, mode_t mode, struct error **err)
{
        return file_write(path, text, strlen(text), mode, err);
}

int file_write_new(const char *path, const void *data, size_t length, mode_t mode, struct error **err)
{
        _cleanup_(temporary_clear) struct temporary temporary = TEMPORARY_INIT;
        int status = 0;

        if (write_beside(path, data, length, mode, &temporary, err) < 0)
                return -1;
        if (link(temporary.path, path) < 0) {
                if (errno == EEXIST)
                        status = error_set(err, ERROR_FAILED, "'%s' exists", path);
                else
                        status = error_errno(err, ERROR_FAILED, "cannot write '%s'", path);
        }
        unlink(temporary.path);
        return status < 0 ? -1 : sync_folder_of(path, err);
}

int file_write_scratch(const char *path, const char *text, mode_t mode, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

        if (fd >= 0 && write_all(fd, text, strlen(text)) == 0)
                return 0;
        error_errno(err, ERROR_FAILED, "cannot write '%s'", path);
        if (fd >= 0)
                unlink(path);
        return -1;
}

int file_rename(const char *from, const char *to, struct error **err)
{
        _cleanup_(freep) char *from_folder = path_folder(from);
        _cleanup_(freep) char *to_folder = path_folder(to);

        if (rename(from, to) < 0)
                return error_errno(err, open_failure_kind(), "cannot rename '%s' to '%s'", from, to);
        if (file_sync_folder(to_folder, err) < 0)
                return -1;
        return streq(from_folder, to_folder) ? 0 : file_sync_folder(from_folder, err);
}

int file_link_or_copy(const char *from, const char *to, struct error **err)
{
        if (link(from, to) == 0)
                return 0;
        if (errno != EXDEV && errno != EPERM && errno != EMLINK)
                return error_errno(err, ERROR_FAILED, "cannot give '%s' the name '%s'", from, to);
        return os_copy_file(from, to) < 0 ? error_errno(err, ERROR_FAILED, "cannot copy '%s' to '%s'", from, to) : 0;
}

int file_sync_folder(const char *folder, struct error **err)
{
        _cleanup_(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_errno(err, open_failure_kind(), "cannot open folder '%s'", folder);
        /* EINVAL: the file system can't sync folders. */
        if (os_sync(fd) < 0 && errno != EINVAL)
                return error_errno(err, ERROR_FAILED, "cannot sync folder '%s'", folder);
        return 0;
}

bool file_exists(const char *path)
{
        struct stat status;

        return lstat(path, &status) == 0;
}

bool file_is_folder(const char *path)
{
        struct stat status;

        return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Returns 0 also when the folder is already there; -1 with the errno of mkdir(2). */
static int make_folder(const char *path, mode_t mode)
{
        int failure;

        if (mkdir(path, mode) == 0)
                return 0;
        failure = errno;
        if (file_is_folder(path))
                return 0;
        errno = failure;
        return -1;
}

int file_make_folders(const char *path, mode_t mode, struct error **err)
{
        _cleanup_(freep) char *parent = NULL;

        if (make_folder(path, mode) == 0)
                return 0;
        if (errno == ENOENT) {
                parent = path_folder(path);
                /* If the parent is there, ENOENT means something else: an empty path, a dangling symlink. */
                if (!file_exists(parent) && file_make_folders(parent, mode, err) < 0)
                        return -1;
                if (make_folder(path, mode) == 0)
                        return 0;
        }
        return failed(err, ERROR_FAILED, "make folder", path);
}

int file_make_private_folder(const char *path, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;
        _cleanup_(freep) char *folder = strip_slashes(path);
        struct stat status;

        if (file_make_folders(folder, 0700, err) < 0)
                return -1;
        if (lstat(folder, &status) < 0)
                return error_errno(err, ERROR_FAILED, "cannot examine folder '%s'", folder);
        if (!S_ISDIR(status.st_mode)) {
                error_set(err, ERROR_FAILED, "'%s' is a symlink, but must be a real folder", folder);
                return file_hint(err, folder, ENOTDIR);
        }
        if (status.st_uid != geteuid()) {
                error_set(err, ERROR_FAILED, "folder '%s' belongs to another user", folder);
                return file_hint(err, folder, EACCES);
        }
        if ((status.st_mode & 0500) != 0500) {
                error_set(err, ERROR_FAILED, "folder '%s' is closed to its owner (mode %04o)", folder, status.st_mode & 07777U);
                return file_hint(err, folder, EACCES);
        }
        if (status.st_mode & 077) {
                error_set(err, ERROR_FAILED, "folder '%s' is open to other users (mode %04o)", folder, status.st_mode & 07777U);
                text_shell_quote(&quoted, folder);
                return error_hint(err, "chmod 700 -- %s", quoted.buf);
        }
        return 0;
}

int file_list(const char *folder, struct strv *names, struct error **err)
{
        _cleanup_(strv_clear) struct strv found = STRV_INIT;
        DIR *stream = opendir(folder);
        struct dirent *entry;
        int failure;

        if (!stream)
                return failed(err, open_failure_kind(), "open folder", folder);
        while (errno = 0, (entry = readdir(stream)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        strv_add(&found, entry->d_name);
        failure = errno;
        closedir(stream);
        errno = failure;
        if (failure != 0)
                return error_errno(err, ERROR_FAILED, "cannot read folder '%s'", folder);
        strv_sort(&found);
        strv_add_all(names, &found);
        return 0;
}

char *path_join(const char *folder, const char *name)
{
        return xasprintf("%s%s%s", folder, *folder == '\0' || ends_with(folder, "/") ? "" : "/", name);
}

char *path_base(const char *path)
{
        _cleanup_(freep) char *stripped = strip_slashes(path);
        const char *slash = strrchr(stripped, '/');

        if (*stripped == '\0')
                return xstrdup(".");
        return slash && slash[1] != '\0' ? xstrdup(slash + 1) : TAKE_PTR(stripped);
}

char *path_folder(const char *path)
{
        _cleanup_(freep) char *stripped = strip_slashes(path);
        char *slash = strrchr(stripped, '/');

        if (!slash)
                return xstrdup(".");
        while (slash > stripped && slash[-1] == '/')
                slash--;
        slash[slash == stripped] = '\0';
        return TAKE_PTR(stripped);
}
