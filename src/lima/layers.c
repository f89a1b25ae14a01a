/*
 * Layers for Lima's VMs. The base image is the same as with QEMU, or a key that stands for the system's image. A recipe's layer
 * is the whole disk of a throwaway instance that was filled: Lima takes no disk that stands on another. It copies the disk for
 * each VM (without copying a block, where the file system can share them).
 */
#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/stock.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/os.h"
#include "lib/text.h"
#include "lima/engine.h"
#include "lima/guest.h"
#include "lima/home.h"
#include "lima/image.h"
#include "lima/look.h"
#include "lima/system.h"
#include "vm/throwaway.h"

#define KIND      STOCK_RECIPE
#define SETTLE_MS 300000
#define RAW_DISK  "disk.raw"

int lima_base_layer(const char *user, const struct strv *packages, bool make, struct event_sink *events, char **key,
                    struct error **err)
{
        int there = stock_base(user, packages, false, events, key, err);

        if (there != 0)
                return there;
        if (!system_image.location)
                return make ? stock_base(user, packages, true, events, key, err) : 0;
        if (packages)
                return 0;
        *key = image_key(system_image.location, system_image.digest);
        return 1;
}

/* Either key may be that of the system's image, which isn't stored as a layer. */
int lima_stands_on(const char *key, const char *below, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        int there;

        if (streq(key, below))
                return 1;
        there = layer_find(key, &layer, err);
        if (there <= 0)
                return there;
        return streq(layer_text(&layer, "image"), below) || stock_stands_on(key, below, err);
}

/* --- filling one */

struct filling {
        const struct engine_filling *wanted;
        struct engine_filled filled;
        bool on_layer; /* it stands on a layer, and not on the system's image */
};

/* FOLDER/made: once it is there, so is a disk that work has gone into. */
static char *made_path(const struct vm *vm)
{
        return path_join(vm->folder, "made");
}

static int make_instance(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *made = made_path(vm);

        if (file_exists(made)) {
                vm->record.base = xstrdup(vm->record.layer ? vm->record.layer : "");
                return lima_create(vm, events, err);
        }
        vm->record.intent = INTENT_CREATE;
        if (lima_create(vm, events, err) < 0)
                return -1;
        vm->record.intent = INTENT_NONE;
        return file_write_text(made, "", 0600, err);
}

/* Then switches the VM off without a shutdown, which would write once more. */
static int settle(struct vm *vm, uint16_t port, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;

        return throwaway_script("settle", &script, err) < 0 || guest_run(vm, port, &script, SETTLE_MS, err) < 0
                       ? -1
                       : lima_kill(vm, err);
}

static int run(struct vm *vm, struct filling *filling, struct event_sink *events, struct error **err)
{
        _cleanup_(look_clear) struct look look = LOOK_INIT;
        struct guest_guard guard = GUEST_GUARD_INIT;
        int status;

        if (lima_start(vm, events, err) < 0 || look_at(vm, &look, err) < 0 ||
            throwaway_ssh_config(vm, NULL, look.listing.ssh_port, err) < 0 ||
            guest_guard_begin(vm, look.listing.ssh_port, &guard, err) < 0)
                return -1;
        status = filling->wanted->fill(vm, filling->wanted->data, events, &filling->filled, err);
        guest_guard_end(&guard);
        if (status < 0) {
                interrupt_hold();
                lima_stop(vm, events, NULL);
                interrupt_go_on();
                return -1;
        }
        event_line(events, "saving");
        if (settle(vm, look.listing.ssh_port, err) < 0)
                return error_wrap(err, "cannot finish the layer of '%s'", filling->wanted->about);
        return 0;
}

/* Takes the disk out of the instance, which is of no use after that. */
static int take_disk(const struct vm *vm, const char **name, struct error **err)
{
        _cleanup_(freep) char *folder = home_instance_folder(vm->name);
        _cleanup_(freep) char *from = path_join(folder, "disk");
        _cleanup_(freep) char *to = NULL;
        bool raw;

        if (image_check_disk(from, vm->record.disk_bytes, &raw, err) < 0)
                return -1;
        *name = raw ? RAW_DISK : LAYER_DISK;
        to = path_join(vm->folder, *name);
        if (file_remove(to, err) < 0)
                return -1;
        if (rename(from, to) < 0 && (errno != EXDEV || os_copy_file(from, to) < 0 || unlink(from) < 0))
                return error_errno(err, ERROR_FAILED, "cannot move '%s' to '%s'", from, to);
        return layer_seal(to, err);
}

static int write_manifest(const struct filling *filling, const struct vm *vm, const char *disk, struct error **err)
{
        _cleanup_(freep) char *path = path_join(vm->folder, "manifest.json");
        _cleanup_(freep) char *created = text_format_time(time(NULL));
        _cleanup_(layer_clear) struct layer parent = LAYER_INIT;
        _cleanup_(json_decrefp) json_t *manifest =
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "kind", KIND, "engine", "lima", "key",
                          filling->filled.key, "disk", disk, "about", filling->wanted->about, "user", vm->record.user,
                          "disk_bytes", (json_int_t)vm->record.disk_bytes, "created", created);
        const char *image = filling->wanted->parent;

        /* Of the layer below only the kernel is still needed. */
        if (filling->on_layer) {
                if (layer_open(filling->wanted->parent, &parent, err) < 0)
                        return -1;
                image = layer_text(&parent, "image");
                if (!*image)
                        json_object_set_new(manifest, "parent",
                                            json_string(streq(parent.kind, KIND) ? layer_text(&parent, "parent")
                                                                                 : filling->wanted->parent));
        }
        if (*image)
                json_object_set_new(manifest, "image", json_string(image));
        stock_note_lacks(&filling->filled, manifest);
        return json_write(path, manifest, 0444, err);
}

static int build(void *data, const char *folder, const struct lock *lock _unused_, struct event_sink *events,
                 struct error **err)
{
        struct filling *filling = data;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        const char *disk;

        if (throwaway_invent(KIND, filling->wanted->key, folder, filling->wanted->record, &vm, err) < 0)
                return -1;
        vm.record.disk_bytes = STOCK_RECIPE_BYTES;
        vm.record.layer = filling->on_layer ? xstrdup(filling->wanted->parent) : NULL;
        if (make_instance(&vm, events, err) < 0 || run(&vm, filling, events, err) < 0 || take_disk(&vm, &disk, err) < 0 ||
            write_manifest(filling, &vm, disk, err) < 0)
                return -1;
        vm.record.intent = INTENT_DESTROY;
        return lima_remove(&vm, err);
}

static const char *became(void *data)
{
        return ((struct filling *)data)->filled.key;
}

/* A later build goes on with a layer that isn't finished, so all of that stays, and only its guest has to end. */
static int tidy(const char *folder, struct error **err)
{
        _cleanup_(freep) char *manifest = path_join(folder, "manifest.json");
        _cleanup_(freep) char *key = path_base(folder);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        vm.name = throwaway_name(KIND, key);
        vm.folder = xstrdup(folder);
        if (file_exists(manifest))
                return throwaway_tidy(KIND, folder, (const char *const[]){ LAYER_DISK, RAW_DISK, "manifest.json", NULL }, err);
        return lima_kill(&vm, err);
}

int lima_fill_layer(const struct engine_filling *wanted, struct event_sink *events, char **key, struct error **err)
{
        static const struct layer_builder how = { .build = build, .became = became, .tidy = tidy };
        struct filling filling = { .wanted = wanted, .filled = ENGINE_FILLED_INIT };
        int there = stock_has(wanted->parent, err);
        int status;

        if (there < 0)
                return -1;
        filling.on_layer = there > 0;
        status = stock_fill(wanted, &how, &filling, events, key, err);
        engine_filled_clear(&filling.filled);
        return status;
}

int lima_abandon(const char *name, struct error **err)
{
        _cleanup_(freep) char *key = xstrndup(name, strcspn(name, "."));
        _cleanup_(freep) char *path = layer_lock_path(key);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *instance = NULL;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        int free_to_go;

        vm.name = throwaway_name(KIND, key);
        vm.folder = layer_folder(name);
        instance = home_instance_folder(vm.name);
        if (!file_exists(instance))
                return 0;
        free_to_go = lock_try(&lock, path, LOCK_EXCLUSIVE, err);
        if (free_to_go <= 0)
                return free_to_go;
        vm.record.uuid = throwaway_uuid(key);
        vm.record.intent = INTENT_DESTROY;
        return lima_kill(&vm, err) < 0 ? -1 : lima_remove(&vm, err);
}
