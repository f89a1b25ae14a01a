#include "qemu/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/qcow2.h"
#include "lib/file.h"
#include "lib/process.h"
#include "qemu/sandbox.h"

#define CHECK_MS (10 * 60 * 1000)
/* RAW_LOCK_PERM_BASE, and the bit number of BLK_PERM_WRITE */
#define WRITE_PERMISSION_BYTE (100 + 1)

static int make(const char *path, const char *below, int64_t bytes, struct error **err)
{
        _cleanup_(freep) char *temporary = xasprintf("%s.tmp", path);
        _cleanup_(freep) char *size = xasprintf("%jd", (intmax_t)bytes);
        /* -u: the disk below is not opened. We know the size, so that isn't needed. */
        const char *const argv[] = {
                "qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", below, "-F", "qcow2", temporary, size, NULL,
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

static char *beside(const char *key)
{
        return xasprintf("../%s/" LAYER_DISK, key);
}

int disk_make_beside(const char *path, const struct layer *layer, int64_t bytes, struct error **err)
{
        _cleanup_(freep) char *below = beside(layer->key);

        return make(path, below, size_on(layer, bytes), err);
}

/*
 * How a layer's disk names the one below it, in the folder `below`; NULL = it stands on none. A snapshot's disk was a VM's, and
 * names it by its whole path. Owned by the caller.
 */
static char *name_below(const char *disk, const char *below)
{
        _cleanup_(qcow2_header_clear) struct qcow2_header header = QCOW2_HEADER_INIT;
        _cleanup_(freep) char *whole = below ? path_join(below, LAYER_DISK) : NULL;
        _cleanup_(freep) char *key = below ? path_base(below) : NULL;

        if (!below)
                return NULL;
        /* Both are names of the same file. What is in the header only decides which of the two it has to be. */
        if (qcow2_read(disk, &header, NULL) == 0 && header.backing && streq(header.backing, whole))
                return TAKE_PTR(whole);
        return beside(key);
}

/* Checks the layer and all below it. The folders are in order, each before the one that it stands on. */
static int inspect_layers(const struct layer *layer, struct error **err)
{
        for (size_t i = 0; i < layer->folders.count; i++) {
                bool lowest = i + 1 == layer->folders.count;
                _cleanup_(freep) char *disk = path_join(layer->folders.items[i], LAYER_DISK);
                _cleanup_(freep) char *below = name_below(disk, lowest ? NULL : layer->folders.items[i + 1]);

                if (qcow2_check(disk, &(struct qcow2_wish){ .backing = below, .most = layer->disk_bytes }, NULL, err) < 0)
                        return error_hint_else(err, "restore '%s' from a backup; which VMs stand on it: machine doctor",
                                               layer->folders.items[i]);
        }
        return 0;
}

static int inspect(const char *path, const char *below, const struct layer *layer, int64_t bytes, int64_t *now,
                   struct error **err)
{
        const struct qcow2_wish wish = { .backing = below, .least = layer->disk_bytes, .most = size_on(layer, bytes) };

        return inspect_layers(layer, err) < 0 ? -1 : qcow2_check(path, &wish, now, err);
}

int disk_inspect(const char *path, const struct layer *layer, int64_t bytes, int64_t *now, struct error **err)
{
        return inspect(path, layer->disk, layer, bytes, now, err);
}

int disk_inspect_beside(const char *path, const struct layer *layer, int64_t bytes, struct error **err)
{
        _cleanup_(freep) char *below = beside(layer->key);

        return inspect(path, below, layer, bytes, NULL, err);
}

int disk_grow(struct qmp *qmp, int64_t bytes, deadline limit, struct error **err)
{
        _cleanup_(json_decrefp) json_t *arguments = json_pack("{s:s, s:I}", "node-name", "disk", "size", (json_int_t)bytes);

        return qmp_call(qmp, "block_resize", arguments, limit, NULL, err);
}

int disk_check(const char *path, const struct layer *layer, int64_t bytes, const struct toolkit *toolkit, struct error **err)
{
        _cleanup_(freep) char *program = process_find("qemu-img");
        _cleanup_(sandbox_clear) struct sandbox sandbox = { .program = toolkit->bubblewrap,
                                                            .qemu = program,
                                                            .dies_with_parent = true };
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (!program)
                return error_set(err, ERROR_FAILED, "cannot run 'qemu-img': not found");
        if (disk_inspect_beside(path, layer, bytes, err) < 0)
                return -1;
        strv_add_all(&sandbox.read_only, &layer->folders);
        strv_add(&sandbox.writable, path);
        if (toolkit->bubblewrap)
                sandbox_build(&sandbox, &argv);
        strv_adds(&argv, program, "check", "-q", "-f", "qcow2", "-r", "leaks", path, NULL);
        return process_check(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .environment = toolkit_environment,
                                                     .folder = "/",
                                                     .timeout_ms = CHECK_MS },
                             NULL, err);
}

int disk_remove(const char *path, struct error **err)
{
        _cleanup_(freep) char *temporary = xasprintf("%s.tmp", path);

        return file_remove(path, err) < 0 ? -1 : file_remove(temporary, err);
}

bool disk_is_written(const char *path)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = WRITE_PERMISSION_BYTE, .l_len = 1 };

        return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
