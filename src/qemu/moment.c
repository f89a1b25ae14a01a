#include "qemu/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/login-key.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/json.h"
#include "qemu/moment-memory.h"
#include "qemu/moment-stream.h"
#include "qemu/shape.h"
#include "qemu/snapshot.h"
#include "qemu/template-build.h"
#include "qemu/template.h"

#define VERSION     1
#define ABOUT_LIMIT (64 << 10)
#define SAVE_MS     300000 /* of what QEMU does by itself, on a busy host with a slow disk */

void moment_clear(struct moment *moment)
{
        free(moment->folder);
        free(moment->key_name);
        free(moment->shape);
        free(moment->memory);
        json_decref(moment->stamp);
        free(moment->uuid);
        *moment = (struct moment)MOMENT_INIT;
}

/* --- what it can be loaded into */

static char *shape_of(const struct vm_record *record, const struct toolkit *toolkit, bool kvm, bool from_template)
{
        struct hash hash;

        hash_init(&hash);
        shape_hash(&hash, &(struct shape){ .toolkit = toolkit,
                                           .kvm = kvm,
                                           .cpus = record->cpus,
                                           .memory_bytes = record->memory_bytes,
                                           .from_template = from_template });
        return hash_hex(&hash);
}

/* The template that a disk on this layer was once restored from: the nearest one below it. Returns false when there is none. */
static bool find_template(const char *base, struct layer *out)
{
        _cleanup_(freep) char *key = xstrdup(base);

        while (key) {
                _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

                if (layer_find(key, &layer, NULL) <= 0)
                        return false;
                if (template_is(&layer)) {
                        *out = layer;
                        layer = (struct layer)LAYER_INIT;
                        return true;
                }
                set_string(&key, *layer_text(&layer, "parent") ? xstrdup(layer_text(&layer, "parent")) : NULL);
        }
        return false;
}

/* The memory file of the template that a VM on this disk was restored from. NULL when it is gone, or not as it was: the guest
 * has its mapping, but nobody could load differences from it. `lock` keeps it from being dropped. Owned by the caller. */
static char *find_template_memory(const struct vm *vm, struct lock *lock)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        if (!find_template(vm->record.base, &layer) || layer_use(layer.key, lock, NULL) < 0 || template_check(&layer, NULL) < 0)
                return NULL;
        return template_memory(&layer);
}

static int write_about(const struct moment *moment, struct error **err)
{
        _cleanup_(freep) char *path = path_join(moment->folder, "about.json");
        _cleanup_(json_decrefp) json_t *about = json_pack("{s:i, s:s, s:s, s:s, s:b, s:b, s:b}", "version", VERSION, "uuid",
                                                          moment->uuid, "key", moment->key_name, "shape", moment->shape,
                                                          "restored", moment->restored, "whole", moment->whole, "copied", 0);
        json_t *stamp = moment->memory ? template_stamp(moment->memory, err) : NULL;

        if (moment->memory && !stamp)
                return -1;
        if (moment->memory) {
                json_object_set_new(about, "template", json_string(moment->memory));
                json_object_set_new(about, "template_stamp", stamp);
        }
        return json_write(path, about, 0600, err);
}

static int read_about(const char *folder, json_t **out, struct error **err)
{
        _cleanup_(freep) char *path = path_join(folder, "about.json");
        int64_t version;

        *out = json_read(path, ABOUT_LIMIT, err);
        if (!*out || json_get_int(*out, "version", &version, err) < 0)
                return -1;
        return version == VERSION ? 0 : error_set(err, ERROR_ENGINE, "'%s' is of another version of machine", path);
}

int moment_open(const char *folder, struct moment *out, struct error **err)
{
        _cleanup_(json_decrefp) json_t *about = NULL;
        const char *key, *shape, *uuid;
        const char *memory = NULL;
        bool restored, whole, copied;

        if (read_about(folder, &about, err) < 0 || json_get_string(about, "key", &key, err) < 0 ||
            json_get_string(about, "shape", &shape, err) < 0 || json_get_bool(about, "restored", &restored, err) < 0 ||
            json_get_bool(about, "whole", &whole, err) < 0 || json_get_bool(about, "copied", &copied, err) < 0 ||
            json_get_string(about, "uuid", &uuid, err) < 0 ||
            (json_object_get(about, "template") && json_get_string(about, "template", &memory, err) < 0))
                return -1;
        *out = (struct moment){
                .folder = xstrdup(folder),
                .key_name = xstrdup(key),
                .shape = xstrdup(shape),
                .memory = xstrdup(memory),
                .stamp = json_incref(json_object_get(about, "template_stamp")),
                .restored = restored,
                .whole = whole,
                .uuid = xstrdup(uuid),
                .copied = copied,
        };
        return 0;
}

int moment_has_key(const struct moment *moment, struct error **err)
{
        return login_key_find(moment->key_name, NULL, err);
}

/* The pages were saved as differences from that very file. */
static int check_template(const struct moment *moment, struct error **err)
{
        _cleanup_(json_decrefp) json_t *now = moment->memory ? template_stamp(moment->memory, err) : NULL;

        if (!moment->memory)
                return 0;
        if (!now)
                return -1;
        return json_equal(now, moment->stamp)
                       ? 0
                       : error_set(err, ERROR_ENGINE, "'%s' has changed since the VM was saved", moment->memory);
}

int moment_fits(const struct moment *moment, const struct launch *launch, struct error **err)
{
        _cleanup_(freep) char *shape =
                shape_of(&launch->vm->record, &launch->toolkit, launch->acceleration.kvm, moment->restored);

        if (!streq(shape, moment->shape))
                return error_set(err, ERROR_ENGINE, "QEMU, this computer's processor, or the VM's size is another one by now");
        return check_template(moment, err);
}

struct launch_memory moment_memory(const struct moment *moment)
{
        return (struct launch_memory){ .file = moment->memory, .load = true, .bare = !moment->whole, .port = moment->restored };
}

/* --- saving */

static int is_accelerated(struct qmp *qmp, deadline limit, bool *kvm, struct error **err)
{
        _cleanup_(json_decrefp) json_t *reply = NULL;

        return qmp_call(qmp, "query-kvm", NULL, limit, &reply, err) < 0 ? -1 : json_get_bool(reply, "enabled", kvm, err);
}

static int make_file(const struct moment *moment, const char *name, struct error **err)
{
        _cleanup_(freep) char *path = path_join(moment->folder, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

        return fd < 0 ? error_errno(err, ERROR_FAILED, "cannot make '%s'", path) : fd;
}

/* Saves by pages where we may read them, else as QEMU's whole stream. */
static int save_content(struct moment *moment, const struct moment_source *source, const uint8_t *key, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(closep) int memory = make_file(moment, "memory", err);
        _cleanup_(closep) int devices = memory < 0 ? -1 : make_file(moment, "devices", err);

        if (devices < 0)
                return -1;
        if (source->from_file && !moment->memory)
                error_set(&reason, ERROR_NOT_FOUND, "the template's memory is gone");
        else if (moment_memory_save(source, memory, key, &reason) == 0)
                return moment_stream_save_devices(source, devices, key, err);
        if (reason->kind != ERROR_NOT_FOUND)
                return error_give(err, TAKE_PTR(reason));
        moment->whole = true;
        set_string(&moment->memory, NULL);
        return moment_stream_save_whole(source, devices, key, err);
}

static int save(struct moment *moment, const struct vm *vm, const struct moment_source *source, const struct toolkit *toolkit,
                struct error **err)
{
        uint8_t key[LOGIN_KEY_BYTES];
        bool kvm = false;
        int status;

        if (is_accelerated(source->qmp, source->limit, &kvm, err) < 0)
                return -1;
        moment->shape = shape_of(&vm->record, toolkit, kvm, source->from_file);
        if (login_key_make(moment->key_name, key, err) < 0)
                return -1;
        status = save_content(moment, source, key, err);
        sodium_memzero(key, sizeof(key));
        return status < 0 ? -1 : write_about(moment, err);
}

/* A name that no other moment has, so that removing one never removes the key of another. Owned by the caller. */
static char *make_key_name(const struct vm *vm)
{
        uint8_t random[8];
        char hex[2 * sizeof(random) + 1];

        randombytes_buf(random, sizeof(random));
        sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
        return xasprintf("machine:%s:%s", vm->record.uuid, hex);
}

int moment_save(const struct vm *vm, const struct runtime *runtime, struct qmp *qmp, const char *folder, struct error **err)
{
        _cleanup_(moment_clear) struct moment moment = { .folder = xstrdup(folder) };
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        struct moment_source source = {
                .qmp = qmp,
                .toolkit = &toolkit,
                .qemu = runtime_qemu(runtime),
                .memory_bytes = (uint64_t)vm->record.memory_bytes,
                .limit = deadline_in(SAVE_MS),
        };

        moment.key_name = make_key_name(vm);
        moment.uuid = xstrdup(vm->record.uuid);
        if (toolkit_find(&toolkit, err) < 0 || file_make_private_folder(folder, err) < 0)
                return -1;
        source.from_file = moment.restored = file_exists(runtime->resume);
        if (source.from_file)
                moment.memory = find_template_memory(vm, &lock);
        if (save(&moment, vm, &source, &toolkit, err) == 0)
                return 0;
        file_remove(folder, NULL);
        login_key_forget(moment.key_name, NULL);
        return -1;
}

/* --- loading */

static int open_content(const struct moment *moment, const char *name, struct error **err)
{
        _cleanup_(freep) char *path = path_join(moment->folder, name);
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? error_errno(err, ERROR_ENGINE, "cannot open '%s'", path) : fd;
}

static int load_content(const struct moment *moment, const struct moment_source *source, const uint8_t *key, struct error **err)
{
        _cleanup_(closep) int memory = open_content(moment, "memory", err);
        _cleanup_(closep) int devices = memory < 0 ? -1 : open_content(moment, "devices", err);

        if (devices < 0)
                return -1;
        if (moment->whole)
                return moment_stream_load_whole(source, devices, key, err);
        /* Before the devices: QEMU may take what is in the memory for granted while it loads them. */
        return moment_memory_load(source, moment->memory, memory, key, err) < 0
                       ? -1
                       : moment_stream_load_devices(source, devices, key, err);
}

int moment_load(const struct moment *moment, const struct launch *launch, struct qmp *qmp, struct error **err)
{
        const struct moment_source source = {
                .qmp = qmp,
                .toolkit = &launch->toolkit,
                .qemu = runtime_qemu(launch->runtime),
                .memory_bytes = (uint64_t)launch->vm->record.memory_bytes,
                .from_file = moment->memory,
                .limit = deadline_in(SAVE_MS),
        };
        uint8_t key[LOGIN_KEY_BYTES];
        int found = login_key_find(moment->key_name, key, err);
        int status;

        if (found <= 0)
                return found < 0 ? -1 : error_set(err, ERROR_ENGINE, "the key of what was saved is gone");
        status = load_content(moment, &source, key, err);
        sodium_memzero(key, sizeof(key));
        return status;
}

/* --- another one of it */

static int copy_key(const struct moment *moment, const char *name, struct error **err)
{
        uint8_t key[LOGIN_KEY_BYTES];
        int found = login_key_find(moment->key_name, key, err);
        int status;

        if (found <= 0)
                return found;
        status = login_key_put(name, key, err);
        sodium_memzero(key, sizeof(key));
        return status;
}

static int copy_file(const struct moment *from, const char *to, const char *name, struct error **err)
{
        _cleanup_(freep) char *source = path_join(from->folder, name);
        _cleanup_(freep) char *target = path_join(to, name);

        return file_link_or_copy(source, target, err);
}

static int copy_into(const struct moment *from, const char *folder, const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *source = path_join(from->folder, "about.json");
        _cleanup_(freep) char *target = path_join(folder, "about.json");
        _cleanup_(json_decrefp) json_t *about = json_read(source, ABOUT_LIMIT, err);
        _cleanup_(freep) char *name = make_key_name(vm);

        if (!about || file_make_private_folder(folder, err) < 0 || copy_file(from, folder, "memory", err) < 0 ||
            copy_file(from, folder, "devices", err) < 0)
                return -1;
        json_object_set_new(about, "key", json_string(name));
        json_object_set_new(about, "copied", json_true());
        return json_write(target, about, 0600, err) < 0 ? -1 : copy_key(from, name, err);
}

int moment_copy(const char *from, const char *to, const struct vm *vm, struct error **err)
{
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;
        _cleanup_(freep) char *temporary = xasprintf("%s.tmp", to);

        if (moment_open(from, &moment, err) < 0 || moment_forget(temporary, err) < 0)
                return -1;
        if (copy_into(&moment, temporary, vm, err) == 0 && file_rename(temporary, to, err) == 0)
                return 0;
        moment_forget(temporary, NULL);
        return -1;
}

/* A moment that can't be read needs nothing. */
static bool stands_on(const char *folder, const char *template_memory)
{
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;

        return moment_open(folder, &moment, NULL) == 0 && moment.memory && streq(moment.memory, template_memory);
}

int moment_needs(const char *template_memory, struct error **err)
{
        _cleanup_(freep) char *vms = paths_state("vms");
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *data = paths_data("layers");
        _cleanup_(strv_clear) struct strv layers = STRV_INIT;
        int needed = 0;

        /* Also of a VM that was set aside ("blog.off"), which vm_list() passes over: it may come back. */
        if ((file_is_folder(vms) && file_list(vms, &names, err) < 0) ||
            (file_is_folder(data) && file_list(data, &layers, err) < 0))
                return -1;
        for (size_t i = 0; i < names.count && !needed; i++) {
                _cleanup_(freep) char *name = xasprintf("%s/parked", names.items[i]);
                _cleanup_(freep) char *folder = path_join(vms, name);

                needed = stands_on(folder, template_memory);
        }
        for (size_t i = 0; i < layers.count && !needed; i++) {
                _cleanup_(freep) char *name = xasprintf("%s/" LAYER_SNAPSHOT_MOMENT, layers.items[i]);
                _cleanup_(freep) char *folder = path_join(data, name);

                needed = stands_on(folder, template_memory);
        }
        return needed;
}

int moment_forget(const char *folder, struct error **err)
{
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;

        /* The key first: without it nobody can read what a failed removal leaves. */
        if (moment_open(folder, &moment, NULL) == 0 && login_key_forget(moment.key_name, err) < 0)
                return -1;
        return file_remove(folder, err);
}
