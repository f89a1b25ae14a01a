#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "engine.h"
#include "lib/file.h"
#include "lib/process.h"
#include "runtime.h"

static int refuse_alive(const struct vm *vm, const struct runtime *runtime, struct error **err)
{
        int alive = runtime_is_alive(runtime, err);

        if (alive <= 0)
                return alive;
        error_set(err, ERROR_ENGINE, "VM '%s' is running", vm->name);
        return error_hint(err, "machine down %s", vm->name);
}

/* Whole under its name, or not there at all. */
static int make_disk(const struct runtime *runtime, const struct base_image *image, int64_t bytes, struct error **err)
{
        _cleanup_(freep) char *temporary = xasprintf("%s.tmp", runtime->disk);
        _cleanup_(freep) char *size = xasprintf("%jd", (intmax_t)(bytes > image->disk_bytes ? bytes : image->disk_bytes));
        const char *const argv[] = {
                "qemu-img", "create", "-q", "-f", "qcow2", "-b", image->disk, "-F", "qcow2", temporary, size, NULL,
        };
        _cleanup_(closep) int fd = -1;

        if (file_remove(temporary, err) < 0 || process_check(&(struct process_spec){ .argv = argv }, NULL, err) < 0)
                return -1;
        fd = open(temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fchmod(fd, 0600) < 0 || fsync(fd) < 0)
                return error_errno(err, ERROR_FAILED, "cannot finish '%s'", temporary);
        return file_rename(temporary, runtime->disk, err);
}

int engine_create(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(base_image_clear) struct base_image image = BASE_IMAGE_INIT;

        runtime_find_files(vm, &runtime);
        if (refuse_alive(vm, &runtime, err) < 0)
                return -1;
        /* A disk that may have been booted from is never made anew. */
        if (vm->record.intent != INTENT_CREATE && vm->record.base && file_exists(runtime.disk))
                return 0;
        if (base_ensure(vm->record.user, events, &image, err) < 0)
                return -1;
        event_begin(events, "disk", "making the disk of VM '%s'", vm->name);
        if (make_disk(&runtime, &image, vm->record.disk_bytes, err) < 0) {
                event_end(events, "disk", EVENT_FAILED, NULL);
                return error_wrap(err, "cannot make the disk of VM '%s'", vm->name);
        }
        event_end(events, "disk", EVENT_DONE, NULL);
        set_string(&vm->record.base, xstrdup(image.key));
        return 0;
}

int engine_remove(struct vm *vm, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(freep) char *temporary = NULL;

        if (runtime_find(vm, &runtime, err) < 0 || refuse_alive(vm, &runtime, err) < 0 || runtime_end_net(&runtime, err) < 0)
                return -1;
        temporary = xasprintf("%s.tmp", runtime.disk);
        if (file_remove(runtime.folder, err) < 0 || file_remove(runtime.disk, err) < 0 || file_remove(temporary, err) < 0 ||
            file_remove(runtime.logs, err) < 0 || file_remove(runtime.lock, err) < 0)
                return error_wrap(err, "cannot remove VM '%s'", vm->name);
        return 0;
}
