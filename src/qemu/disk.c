#include "disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/process.h"

#define CHECK_MS (10 * 60 * 1000)

static int make(const char *path, const char *below, int64_t bytes, struct error **err)
{
        _cleanup_(freep) char *temporary = xasprintf("%s.tmp", path);
        _cleanup_(freep) char *size = xasprintf("%jd", (intmax_t)bytes);
        const char *const argv[] = {
                "qemu-img", "create", "-q", "-f", "qcow2", "-b", below, "-F", "qcow2", temporary, size, NULL,
        };
        _cleanup_(closep) int fd = -1;

        if (file_remove(temporary, err) < 0 || process_check(&(struct process_spec){ .argv = argv }, NULL, err) < 0)
                return -1;
        fd = open(temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fchmod(fd, 0600) < 0 || fsync(fd) < 0)
                return error_errno(err, ERROR_FAILED, "cannot finish '%s'", temporary);
        return file_rename(temporary, path, err);
}

static int64_t size_on(const struct layer *layer, int64_t bytes)
{
        return bytes > layer->disk_bytes ? bytes : layer->disk_bytes;
}

int disk_make(const char *path, const struct layer *layer, int64_t bytes, struct error **err)
{
        return make(path, layer->disk, size_on(layer, bytes), err);
}

int disk_make_beside(const char *path, const struct layer *layer, int64_t bytes, struct error **err)
{
        _cleanup_(freep) char *below = xasprintf("../%s/disk.qcow2", layer->key);

        return make(path, below, size_on(layer, bytes), err);
}

/* The virtual size in its header: eight bytes at 24, the most significant first. Source: QEMU's docs/interop/qcow2.txt. */
static int64_t size_of(const char *path, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        unsigned char header[32];
        uint64_t size = 0;

        if (fd < 0)
                return error_errno(err, ERROR_ENGINE, "cannot open '%s'", path);
        if (read(fd, header, sizeof(header)) != (ssize_t)sizeof(header) || memcmp(header, "QFI\xfb", 4) != 0)
                return error_set(err, ERROR_ENGINE, "'%s' is no disk of QEMU's", path);
        for (size_t i = 24; i < sizeof(header); i++)
                size = size << 8 | header[i];
        return size > INT64_MAX ? INT64_MAX : (int64_t)size;
}

int disk_grow(const char *path, int64_t bytes, struct error **err)
{
        _cleanup_(freep) char *text = xasprintf("%jd", (intmax_t)bytes);
        const char *const argv[] = { "qemu-img", "resize", "-q", "-f", "qcow2", path, text, NULL };
        int64_t has = size_of(path, err);

        if (has < 0 || has >= bytes)
                return has < 0 ? -1 : 0;
        if (process_check(&(struct process_spec){ .argv = argv }, NULL, err) < 0)
                return error_wrap(err, "cannot enlarge '%s'", path);
        return 0;
}

int disk_check(const char *path, struct error **err)
{
        const char *const argv[] = { "qemu-img", "check", "-q", "-f", "qcow2", "-r", "leaks", path, NULL };

        return process_check(&(struct process_spec){ .argv = argv, .timeout_ms = CHECK_MS }, NULL, err);
}

int disk_remove(const char *path, struct error **err)
{
        _cleanup_(freep) char *temporary = xasprintf("%s.tmp", path);

        return file_remove(path, err) < 0 ? -1 : file_remove(temporary, err);
}
