#include "qemu/snapshot.h"

#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/hash.h"
#include "lib/text.h"
#include "qemu/disk.h"
#include "qemu/engine.h"
#include "qemu/moment.h"
#include "qemu/park.h"
#include "qemu/restore.h"

#define LOCK_MS 60000

/* --- a disk on another layer */

/* No guest goes on from before. */
static int forget_guest(const struct runtime *runtime, struct error **err)
{
        return park_forget(runtime, err) < 0 ? -1 : restore_forget(runtime, err);
}

/* Brings in the guest that the layer has, unless the VM has one that is parked: then that is the same one. */
static int bring_moment(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct error **err)
{
        _cleanup_(freep) char *moment = path_join(layer->folder, LAYER_SNAPSHOT_MOMENT);

        if (!file_exists(moment) || park_is_due(runtime))
                return 0;
        return moment_copy(moment, runtime->parked, vm, err);
}

static int finish(struct vm *vm, const char *key, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        runtime_find_files(vm, &runtime);
        if (layer_use(key, &lock, err) < 0 || layer_open(key, &layer, err) < 0 ||
            (vm->record.next_anew && forget_guest(&runtime, err) < 0) ||
            disk_make(runtime.disk, &layer, vm->record.disk_bytes, err) < 0 || bring_moment(vm, &runtime, &layer, err) < 0)
                return -1;
        set_string(&vm->record.base, xstrdup(key));
        set_string(&vm->record.next_base, NULL);
        vm->record.next_anew = false;
        return vm_save(vm, err);
}

int snapshot_stand_on(struct vm *vm, const char *key, struct error **err)
{
        set_string(&vm->record.next_base, xstrdup(key));
        return vm_save(vm, err) < 0 ? -1 : finish(vm, key, err);
}

int snapshot_settle(struct vm *vm, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(freep) char *key = xstrdup(vm->record.next_base);
        int there;

        if (!key)
                return 0;
        there = layer_find(key, &layer, err);
        if (there != 0)
                return there < 0 ? -1 : finish(vm, key, err);
        /* The snapshot did not come about, and the disk is the VM's still. */
        set_string(&vm->record.next_base, NULL);
        vm->record.next_anew = false;
        return vm_save(vm, err);
}

/* --- taking one */

static int write_manifest(const struct vm *vm, const char *key, const char *folder, const struct engine_snapshot *wanted,
                          struct error **err)
{
        _cleanup_(freep) char *path = path_join(folder, "manifest.json");
        _cleanup_(freep) char *created = text_format_time(time(NULL));
        _cleanup_(json_decrefp) json_t *manifest =
                json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:b}", "kind", LAYER_SNAPSHOT, "key", key, "parent",
                          vm->record.base, "disk_bytes", (json_int_t)vm->record.disk_bytes, "created", created, "uuid",
                          vm->record.uuid, "vm", vm->name, "label", wanted->label, "automatic", wanted->automatic);

        if (!manifest)
                return error_set(err, ERROR_FAILED, "the label is not UTF-8");
        return json_write(path, manifest, 0444, err);
}

static int fill(const struct vm *vm, const struct runtime *runtime, const char *key, const char *folder,
                const struct engine_snapshot *wanted, struct error **err)
{
        _cleanup_(freep) char *disk = path_join(folder, LAYER_DISK);
        _cleanup_(freep) char *moment = path_join(folder, LAYER_SNAPSHOT_MOMENT);

        if (file_make_private_folder(folder, err) < 0 || file_link_or_copy(runtime->disk, disk, err) < 0)
                return -1;
        if (file_exists(runtime->parked) && moment_copy(runtime->parked, moment, vm, err) < 0)
                return -1;
        return write_manifest(vm, key, folder, wanted, err) < 0 ? -1 : file_sync_folder(folder, err);
}

/* Only what this VM was until now is in it, so its key is a random number. */
static char *random_key(void)
{
        uint8_t random[HASH_HEX_LENGTH / 2];
        char hex[HASH_HEX_LENGTH + 1];

        randombytes_buf(random, sizeof(random));
        return xstrdup(sodium_bin2hex(hex, sizeof(hex), random, sizeof(random)));
}

static void undo_fill(const char *folder)
{
        _cleanup_(freep) char *moment = path_join(folder, LAYER_SNAPSHOT_MOMENT);

        moment_forget(moment, NULL);
        file_remove(folder, NULL);
}

/* The VM is not running. Its disk becomes the snapshot's, and it gets an empty one on top. */
static int freeze(struct vm *vm, const struct runtime *runtime, const char *key, const struct engine_snapshot *wanted,
                  struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(key);
        _cleanup_(freep) char *disk = path_join(folder, LAYER_DISK);
        _cleanup_(freep) char *path = layer_lock_path(key);
        _cleanup_(freep) char *temporary = xasprintf("%s.tmp-%ld", folder, (long)getpid());
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        if (lock_acquire(&lock, path, LOCK_EXCLUSIVE, LOCK_MS, err) < 0)
                return -1;
        /* From here on the disk is opened by nobody before it is known whose it is. */
        set_string(&vm->record.next_base, xstrdup(key));
        if (fill(vm, runtime, key, temporary, wanted, err) < 0 || vm_save(vm, err) < 0 ||
            file_rename(temporary, folder, err) < 0) {
                undo_fill(temporary);
                set_string(&vm->record.next_base, NULL);
                vm_save(vm, NULL);
                return -1;
        }
        lock_release(&lock);
        return finish(vm, key, err) < 0 ? -1 : layer_seal(disk, err);
}

int snapshot_set_aside(struct vm *vm, const char *label, struct error **err)
{
        const struct engine_snapshot wanted = { .label = label, .automatic = true };
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(freep) char *key = random_key();

        runtime_find_files(vm, &runtime);
        return freeze(vm, &runtime, key, &wanted, err);
}

static int check(const struct vm *vm, const struct runtime *runtime, struct vm_status *status, struct error **err)
{
        if (engine_inspect(vm, status, err) < 0)
                return -1;
        if (status->state != VM_RUNNING && status->state != VM_STOPPED && status->state != VM_PARKED)
                return vm_refuse_state(vm, status, err);
        if (!vm->record.base || restore_is_due(runtime)) {
                error_set(err, ERROR_ENGINE, "VM '%s' is only half made", vm->name);
                return error_hint(err, "machine up %s", vm->name);
        }
        return 0;
}

int engine_snapshot(struct vm *vm, const struct engine_snapshot *wanted, struct event_sink *events, char **out,
                    struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(freep) char *key = random_key();
        int frozen;

        if (runtime_find(vm, &runtime, err) < 0 || snapshot_settle(vm, err) < 0 || check(vm, &runtime, &status, err) < 0)
                return -1;
        event_begin(events, "snapshot", "taking a snapshot of VM '%s'", vm->name);
        if (status.state == VM_RUNNING && engine_park(vm, NULL, err) < 0) {
                event_end(events, "snapshot", EVENT_FAILED, NULL);
                return -1;
        }
        frozen = freeze(vm, &runtime, key, wanted, err);
        /* It goes on whether there is a snapshot or not. */
        if (status.state == VM_RUNNING && engine_start(vm, events, frozen < 0 ? NULL : err) < 0)
                frozen = -1;
        event_end(events, "snapshot", frozen < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        if (frozen < 0)
                return error_wrap(err, "cannot take a snapshot of VM '%s'", vm->name);
        *out = TAKE_PTR(key);
        return 0;
}

/* --- going back to one, and dropping one */

int engine_go_back(struct vm *vm, const char *key, struct event_sink *events, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        int alive;

        if (runtime_find(vm, &runtime, err) < 0 || snapshot_settle(vm, err) < 0)
                return -1;
        alive = runtime_is_alive(&runtime, err);
        if (alive != 0)
                return alive < 0 ? -1 : error_set(err, ERROR_ENGINE, "VM '%s' is running", vm->name);
        /* It is noted before anything is removed, so that a killed one is finished by the next start. */
        vm->record.next_anew = true;
        return snapshot_stand_on(vm, key, err);
}

int engine_drop_snapshot(const char *key, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(freep) char *moment = NULL;
        _cleanup_(freep) char *manifest = NULL;
        int there = layer_find(key, &layer, err);

        if (there <= 0)
                return there;
        moment = path_join(layer.folder, LAYER_SNAPSHOT_MOMENT);
        manifest = path_join(layer.folder, "manifest.json");
        json_object_set_new(layer.manifest, "dropped", json_true());
        return moment_forget(moment, err) < 0 ? -1 : json_write(manifest, layer.manifest, 0444, err);
}
