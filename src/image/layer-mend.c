#include "image/layer-mend.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/paths.h"
#include "host/user.h"
#include "image/base-inputs.h"
#include "image/layer.h"
#include "image/need.h"
#include "image/qcow2.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/text.h"

/* A template stands on a base and a layer for each profile; more than this is a circle. */
#define DEPTH_MOST 72

/* --- what it stands on */

bool layer_is_key(const char *name)
{
        return strlen(name) == HASH_HEX_LENGTH && strspn(name, "0123456789abcdef") == HASH_HEX_LENGTH;
}

char *layer_key_of_disk(const char *path)
{
        _cleanup_(freep) char *name = path_base(path);
        _cleanup_(freep) char *folder = path_folder(path);
        _cleanup_(freep) char *key = path_base(folder);

        return streq(name, LAYER_DISK) && layer_is_key(key) ? TAKE_PTR(key) : NULL;
}

static int read_disk(const char *key, struct qcow2_header *header, char **below, struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(key);
        _cleanup_(freep) char *disk = path_join(folder, LAYER_DISK);

        if (qcow2_read(disk, header, err) < 0)
                return error_wrap(err, "cannot tell by '%s' what it stands on", disk);
        if (!header->backing)
                return 0;
        *below = layer_key_of_disk(header->backing);
        return *below ? 1 : error_set(err, ERROR_ENGINE, "'%s' stands on no layer", disk);
}

int layer_below(const char *key, char **below, struct error **err)
{
        _cleanup_(qcow2_header_clear) struct qcow2_header header = QCOW2_HEADER_INIT;
        int there = layer_parent(key, below, NULL);

        return there >= 0 ? there : read_disk(key, &header, below, err);
}

/* --- its manifest */

static bool has_file(const char *folder, const char *name)
{
        _cleanup_(freep) char *path = path_join(folder, name);

        return file_exists(path);
}

/* Adds what is known of a base image when it is the one that would be made now. */
static void describe_base(const char *key, json_t *manifest)
{
        _cleanup_(base_inputs_clear) struct base_inputs inputs = BASE_INPUTS_INIT;
        _cleanup_(freep) char *user = user_for_guest();

        if (base_inputs_collect(user, NULL, &inputs, NULL) < 0 || !streq(inputs.key, key))
                return;
        json_object_set_new(manifest, "suite", json_string(inputs.suite));
        json_object_set_new(manifest, "architecture", json_string(inputs.architecture));
        json_object_set_new(manifest, "user", json_string(inputs.user));
}

/* A kind without its further members is one that no new VM is made from; those that stand on it don't need them. */
static const char *kind_of(const char *folder, bool stands)
{
        if (!stands)
                return has_file(folder, "vmlinuz") && has_file(folder, "initrd") ? "base" : NULL;
        return has_file(folder, "memory") && has_file(folder, "state") ? "template" : "recipe";
}

static json_t *describe(const char *key, const char *folder, struct error **err)
{
        _cleanup_(qcow2_header_clear) struct qcow2_header header = QCOW2_HEADER_INIT;
        _cleanup_(freep) char *below = NULL;
        _cleanup_(freep) char *now = text_format_time(time(NULL));
        int stands = read_disk(key, &header, &below, err);
        const char *kind = kind_of(folder, stands > 0);
        json_t *manifest;

        if (stands < 0)
                return NULL;
        if (!kind) {
                error_set(err, ERROR_ENGINE, "it has no kernel, so its files don't tell what it is");
                return NULL;
        }
        manifest = json_pack("{s:s, s:s, s:I, s:s, s:s}", "kind", kind, "key", key, "disk_bytes", (json_int_t)header.bytes,
                             "created", now, "about", "found without a manifest");
        if (below)
                json_object_set_new(manifest, "parent", json_string(below));
        else
                describe_base(key, manifest);
        return manifest;
}

/* Gives us back the right to read a file that is ours. */
static void open_up(const char *folder, const char *name)
{
        _cleanup_(freep) char *path = path_join(folder, name);
        struct stat status;

        if (lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() && !(status.st_mode & 0400))
                chmod(path, (status.st_mode & 0777) | 0400);
}

static int mend_manifest(const char *key, struct event_sink *events, struct error **err)
{
        static const char *const files[] = { "manifest.json", LAYER_DISK, "vmlinuz", "initrd" };
        _cleanup_(freep) char *folder = layer_folder(key);
        _cleanup_(freep) char *path = path_join(folder, "manifest.json");
        _cleanup_(json_decrefp) json_t *manifest = NULL;
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(freep) char *parent = NULL;
        _cleanup_(freep) char *text = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                open_up(folder, files[i]);
        if (layer_parent(key, &parent, &reason) >= 0)
                return 0;
        manifest = describe(key, folder, err);
        if (!manifest || (file_exists(path) && file_set_aside(path, NULL, err) < 0) ||
            json_write(path, manifest, 0444, err) < 0)
                return -1;
        text = error_text(reason);
        event_note(events, "the manifest of layer '%.12s' is written anew from what its disk says: %s", key, text);
        return 0;
}

int layer_mend(const char *key, struct event_sink *events, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(freep) char *at = xstrdup(key);
        int there;

        for (int depth = 0; at && depth < DEPTH_MOST; depth++) {
                char *below = NULL;

                /* What can't be mended, layer_find() names. */
                if (mend_manifest(at, events, NULL) < 0 || layer_below(at, &below, NULL) < 0)
                        break;
                set_string(&at, below);
        }
        there = layer_find(key, &layer, err);
        if (there == 0)
                return error_set(err, ERROR_NOT_FOUND, "there is no layer '%s'", key);
        return there < 0 ? -1 : 0;
}

/* --- without it */

static int remove_all(const char *key, int depth, struct error **err);

/* Whoever makes something from a layer holds its lock. */
static int remove_above(const char *key, int depth, struct error **err)
{
        _cleanup_(freep) char *path = layer_lock_path(key);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        return lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, err) < 0 ? -1 : remove_all(key, depth, err);
}

static int remove_all(const char *key, int depth, struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(key);
        _cleanup_(freep) char *layers = path_folder(folder);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (depth >= DEPTH_MOST)
                return error_set(err, ERROR_ENGINE, "the layers in '%s' stand on each other in a circle", layers);
        if (file_list(layers, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *below = NULL;

                if (layer_is_key(names.items[i]) && layer_below(names.items[i], &below, NULL) > 0 && streq(below, key) &&
                    remove_above(names.items[i], depth + 1, err) < 0)
                        return -1;
        }
        return file_remove(folder, err);
}

int layer_clear_away(const char *key, struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(key);
        _cleanup_(strv_clear) struct strv vms = STRV_INIT;
        _cleanup_(freep) char *list = NULL;

        if (need_of_layer(key, &vms, err) < 0)
                return error_wrap(err, "cannot tell whether a VM needs the damaged layer '%s'", folder);
        if (vms.count == 0)
                return remove_all(key, 0, err);
        list = strv_join(&vms, ", ");
        error_set(err, ERROR_ENGINE, "the layer '%s' is damaged, and VM%s %s can't start without it", folder,
                  vms.count == 1 ? "" : "s", list);
        return error_hint(err, "machine doctor --repair; else restore that folder from a backup");
}
