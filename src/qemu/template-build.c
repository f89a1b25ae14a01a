#include "qemu/template-build.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "host/builds.h"
#include "lib/file.h"
#include "lib/text.h"
#include "qemu/boot.h"
#include "qemu/disk.h"
#include "qemu/launch.h"
#include "qemu/migration.h"
#include "qemu/scratch.h"
#include "qemu/socket.h"

#define KIND       "template"
#define MIB        (INT64_C(1) << 20)
#define CONNECT_MS 5000
#define SAVE_MS    300000 /* of what QEMU does by itself, on a busy host with a slow disk */
/* A template takes as much of the disk as its guest has touched of its memory. More than this has not been seen. */
#define ROOM_MOST (1024 * MIB)
#define ROOM_DISK (128 * MIB)

json_t *template_stamp(const char *path, struct error **err)
{
        struct stat status;

        if (lstat(path, &status) < 0) {
                error_errno(err, ERROR_ENGINE, "cannot look at '%s'", path);
                return NULL;
        }
        return json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)status.st_size, "changed_s", (json_int_t)status.st_ctim.tv_sec,
                         "changed_ns", (json_int_t)status.st_ctim.tv_nsec);
}

/* QEMU would die of a memory file that the file system can't hold. */
static int check_room(const char *folder, const struct template_wish *wish, struct error **err)
{
        int64_t needed = (wish->memory_bytes < ROOM_MOST ? wish->memory_bytes : ROOM_MOST) + ROOM_DISK;
        struct statvfs status;
        int64_t left;

        if (statvfs(folder, &status) < 0)
                return error_errno(err, ERROR_ENGINE, "cannot look at the file system of '%s'", folder);
        left = (int64_t)status.f_bavail * (int64_t)status.f_frsize;
        if (left >= needed)
                return 0;
        error_set(err, ERROR_ENGINE, "a warm template takes up to %jd MiB, but '%s' has %jd MiB left", (intmax_t)(needed / MIB),
                  folder, (intmax_t)(left / MIB));
        return error_hint(err, "machine prune");
}

static int make_memory(const char *path, int64_t bytes, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0 || ftruncate(fd, bytes) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make '%s'", path);
        return 0;
}

static int save(const struct launch *launch, struct qmp *qmp, int state, struct error **err)
{
        deadline limit = deadline_in(SAVE_MS);

        if (qmp_call(qmp, "stop", NULL, limit, NULL, err) < 0 || migration_save(qmp, &launch->toolkit, state, limit, err) < 0 ||
            scratch_quit(launch, qmp, err) < 0)
                return -1;
        return fsync(state) < 0 ? error_errno(err, ERROR_FAILED, "cannot write the guest's state") : 0;
}

static int run(struct launch *launch, const char *memory, const char *state_path, struct event_sink *events, struct error **err)
{
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;
        _cleanup_(closep) int resume = -1;
        _cleanup_(closep) int state = open(state_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (state < 0)
                return error_errno(err, ERROR_FAILED, "cannot make '%s'", state_path);
        if (launch_start(launch, &(struct launch_memory){ .file = memory, .shared = true }, err) < 0 ||
            launch_qmp(launch, &qmp, err) < 0 ||
            /* Held until the guest is saved, so that the process that waits at the guest's end sleeps. */
            socket_connect(launch->runtime->resume, deadline_in(CONNECT_MS), &resume, err) < 0 ||
            boot_wait(launch->runtime, qmp, boot_quiet_ms(launch->acceleration.kvm), events, err) < 0)
                return -1;
        event_line(events, "warming up");
        if (scratch_run(launch, "warm", launch->vm->record.user, err) < 0)
                return -1;
        event_line(events, "saving");
        return save(launch, qmp, state, err);
}

/* Syncs it to the disk; it must never be written again. A QEMU before 8.2 opens a memory file for writing even when it maps it
 * privately. */
static int seal_memory(const char *path, const struct toolkit *toolkit, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || fchmod(fd, toolkit_maps_read_only(toolkit) ? 0400 : 0600) < 0 || fsync(fd) < 0)
                return error_errno(err, ERROR_FAILED, "cannot seal '%s'", path);
        return 0;
}

static int write_manifest(const struct template_build *build, const struct vm *vm, const char *memory, const char *state,
                          struct error **err)
{
        const struct template_wish *wish = build->wish;
        _cleanup_(freep) char *path = path_join(vm->folder, "manifest.json");
        _cleanup_(freep) char *created = text_format_time(time(NULL));
        _cleanup_(json_decrefp) json_t *manifest = json_object();
        json_t *memory_stamp = template_stamp(memory, err);
        json_t *state_stamp = memory_stamp ? template_stamp(state, err) : NULL;

        json_object_set_new(manifest, "kind", json_string(KIND));
        json_object_set_new(manifest, "key", json_string(build->key));
        json_object_set_new(manifest, "parent", json_string(wish->base->key));
        json_object_set_new(manifest, "inputs", json_string(build->inputs));
        json_object_set_new(manifest, "disk_bytes", json_integer(wish->base->disk_bytes));
        json_object_set_new(manifest, "user", json_string(wish->user));
        json_object_set_new(manifest, "cpus", json_integer(wish->cpus));
        json_object_set_new(manifest, "memory_bytes", json_integer(wish->memory_bytes));
        json_object_set_new(manifest, "qemu", json_string(wish->toolkit->version));
        json_object_set_new(manifest, "machine", json_string(wish->toolkit->machine));
        json_object_set_new(manifest, "accelerator", json_string(wish->acceleration->kvm ? "kvm" : "tcg"));
        json_object_set_new(manifest, "created", json_string(created));
        if (memory_stamp)
                json_object_set_new(manifest, "memory", memory_stamp);
        if (!state_stamp)
                return -1;
        json_object_set_new(manifest, "state", state_stamp);
        return json_write(path, manifest, 0444, err);
}

static int seal(const struct template_build *build, const struct vm *vm, const char *disk, const char *memory,
                const char *state, struct error **err)
{
        if (disk_inspect_beside(disk, build->wish->base, 0, err) < 0 || layer_seal(disk, err) < 0 ||
            layer_seal(state, err) < 0 || seal_memory(memory, build->wish->toolkit, err) < 0)
                return -1;
        return write_manifest(build, vm, memory, state, err);
}

static int build(void *data, const char *folder, const struct lock *lock, struct event_sink *events, struct error **err)
{
        const struct template_build *build = data;
        const struct template_wish *wish = build->wish;
        struct vm_record size = { .cpus = wish->cpus, .memory_bytes = wish->memory_bytes };
        _cleanup_(freep) char *user = xstrdup(wish->user);
        _cleanup_(freep) char *shell = xstrdup(wish->shell);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(launch_clear) struct launch launch = LAUNCH_INIT(&vm, &runtime);
        _cleanup_(freep) char *memory = path_join(folder, "memory");
        _cleanup_(freep) char *state = path_join(folder, "state");

        launch.ends_with_us = true;
        size.user = user;
        size.shell = shell;
        if (check_room(folder, wish, err) < 0 || throwaway_invent(KIND, build->key, folder, &size, &vm, err) < 0 ||
            runtime_find(&vm, &runtime, err) < 0 || disk_make_beside(runtime.disk, wish->base, 0, err) < 0 ||
            make_memory(memory, wish->memory_bytes, err) < 0 || launch_prepare(&launch, wish->base, NULL, err) < 0)
                return -1;
        if (run(&launch, memory, state, events, err) < 0) {
                launch_explain(&launch, err);
                scratch_keep_console(&runtime, KIND, build->key, err);
                return error_wrap(err, "cannot make a warm template");
        }
        return seal(build, &vm, runtime.disk, memory, state, err);
}

static int tidy(const char *folder, struct error **err)
{
        return throwaway_tidy(KIND, folder, (const char *const[]){ LAYER_DISK, "manifest.json", "memory", "state", NULL }, err);
}

const struct layer_builder template_builder = {
        .what = "a warm template",
        .kind = KIND,
        .build_name = BUILD_TEMPLATE,
        .build = build,
        .tidy = tidy,
};
