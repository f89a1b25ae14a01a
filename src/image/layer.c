#include "image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/builds.h"
#include "host/paths.h"
#include "image/layer-mend.h"
#include "image/layer-sums.h"
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/usage.h"

#define MANIFEST_LIMIT (1 << 20)
/* A recipe may take long. Whoever waits for it is told what for. */
#define LOCK_TIMEOUT_MS (4 * 60 * 60 * 1000)
/* A template stands on a base and a layer for each profile; more than this is a circle. */
#define DEPTH_MOST 72

void layer_clear(struct layer *layer)
{
        free(layer->key);
        free(layer->kind);
        free(layer->folder);
        free(layer->disk);
        free(layer->kernel);
        free(layer->initrd);
        free(layer->plain);
        strv_clear(&layer->folders);
        json_decref(layer->manifest);
        *layer = (struct layer)LAYER_INIT;
}

char *layer_folder(const char *key)
{
        _cleanup_(freep) char *layers = paths_data("layers");

        return path_join(layers, key);
}

char *layer_lock_path(const char *key)
{
        _cleanup_(freep) char *folder = layer_folder(key);

        return xasprintf("%s.lock", folder);
}

static int check_files(const char *const *files, struct error **err)
{
        struct stat status;

        for (; *files; files++) {
                if (access(*files, R_OK) < 0 || stat(*files, &status) < 0) {
                        error_errno(err, ERROR_ENGINE, "cannot read '%s'", *files);
                        return file_hint(err, *files, errno);
                }
                if (!S_ISREG(status.st_mode))
                        return error_set(err, ERROR_ENGINE, "'%s' is not a file", *files);
                if (status.st_size == 0)
                        return error_set(err, ERROR_ENGINE, "'%s' is empty", *files);
        }
        return 0;
}

static int read_manifest(struct layer *layer, const char **parent, struct error **err)
{
        _cleanup_(freep) char *path = path_join(layer->folder, "manifest.json");
        const char *key;
        const char *kind;
        const char *disk;

        layer->manifest = json_read(path, MANIFEST_LIMIT, err);
        if (!layer->manifest || json_get_string(layer->manifest, "key", &key, err) < 0 ||
            json_get_string(layer->manifest, "kind", &kind, err) < 0 ||
            json_get_int(layer->manifest, "disk_bytes", &layer->disk_bytes, err) < 0)
                return -1;
        if (!streq(key, layer->key))
                return error_set(err, ERROR_ENGINE, "'%s' belongs to another layer", path);
        layer->kind = xstrdup(kind);
        disk = *layer_text(layer, "disk") ? layer_text(layer, "disk") : LAYER_DISK;
        if (strchr(disk, '/'))
                return error_set(err, ERROR_ENGINE, "'%s' has no valid name of a disk", path);
        layer->disk = path_join(layer->folder, disk);
        return json_object_get(layer->manifest, "parent") ? json_get_string(layer->manifest, "parent", parent, err) : 0;
}

int layer_parent(const char *key, char **parent, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        const char *found = NULL;

        layer.key = xstrdup(key);
        layer.folder = layer_folder(key);
        if (read_manifest(&layer, &found, err) < 0)
                return -1;
        *parent = xstrdup(found);
        return found ? 1 : 0;
}

static int find(const char *key, unsigned depth, struct layer *out, struct error **err);

/* Takes over what only the layer below knows. */
static int look_below(struct layer *layer, const char *parent, unsigned depth, struct error **err)
{
        _cleanup_(layer_clear) struct layer below = LAYER_INIT;
        int there = depth < DEPTH_MOST ? find(parent, depth + 1, &below, err) : 0;

        if (there < 0)
                return -1;
        if (there == 0)
                return error_set(err, ERROR_ENGINE, "the layer '%s' that it stands on is gone", parent);
        layer->kernel = TAKE_PTR(below.kernel);
        layer->initrd = TAKE_PTR(below.initrd);
        layer->plain = TAKE_PTR(below.plain);
        strv_add_all(&layer->folders, &below.folders);
        return 0;
}

static int look(struct layer *layer, unsigned depth, struct error **err)
{
        const char *parent = NULL;

        if (read_manifest(layer, &parent, err) < 0 || check_files((const char *const[]){ layer->disk, NULL }, err) < 0)
                return -1;
        strv_add(&layer->folders, layer->folder);
        if (parent)
                return look_below(layer, parent, depth, err);
        if (*layer_text(layer, "image"))
                return 0;
        layer->plain = *layer_text(layer, "plain") ? xstrdup(layer_text(layer, "plain")) : NULL;
        layer->kernel = path_join(layer->folder, "vmlinuz");
        layer->initrd = path_join(layer->folder, "initrd");
        return check_files((const char *const[]){ layer->kernel, layer->initrd, NULL }, err);
}

/* A folder that can't be looked at is not one that is missing. */
static int is_there(const char *folder, struct error **err)
{
        struct stat status;

        if (lstat(folder, &status) == 0)
                return 1;
        if (errno == ENOENT)
                return 0;
        error_errno(err, ERROR_ENGINE, "cannot look at '%s'", folder);
        return file_hint(err, folder, errno);
}

static int find(const char *key, unsigned depth, struct layer *out, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        int there;

        layer.key = xstrdup(key);
        layer.folder = layer_folder(key);
        there = is_there(layer.folder, err);
        if (there <= 0)
                return there;
        if (look(&layer, depth, err) < 0) {
                error_wrap(err, "the layer '%s' is damaged", layer.folder);
                error_set_kind(err, ERROR_ENGINE);
                /* A file that only has the wrong owner or mode has the hint that changes that. */
                return error_hint_else(err, "machine doctor --repair");
        }
        *out = layer;
        layer = (struct layer)LAYER_INIT;
        return 1;
}

int layer_find(const char *key, struct layer *out, struct error **err)
{
        return find(key, 0, out, err);
}

int layer_open(const char *key, struct layer *out, struct error **err)
{
        int there = layer_find(key, out, err);
        _cleanup_(freep) char *folder = NULL;

        if (there != 0)
                return there < 0 ? -1 : 0;
        folder = layer_folder(key);
        error_set(err, ERROR_ENGINE, "the layer '%s' is gone; the disks of the VMs that stand on it are useless without it",
                  folder);
        return error_hint(err, "restore that folder from a backup");
}

int layer_open_mended(const char *key, struct event_sink *events, struct layer *out, struct error **err)
{
        if (layer_find(key, out, NULL) > 0)
                return 0;
        layer_mend(key, events, NULL);
        return layer_open(key, out, err);
}

const char *layer_text(const struct layer *layer, const char *key)
{
        const char *text = json_string_value(json_object_get(layer->manifest, key));

        return text ? text : "";
}

int64_t layer_number(const struct layer *layer, const char *key)
{
        return (int64_t)json_integer_value(json_object_get(layer->manifest, key));
}

int64_t layer_bytes(const char *folder)
{
        return usage_of(folder);
}

/* --- building */

/* What killed builders of this key left begins with this. Owned by the caller. */
static char *leftover_prefix(const char *key)
{
        return xasprintf("%s.tmp-", key);
}

static bool has_leftovers(const char *layers, const char *key)
{
        _cleanup_(freep) char *prefix = leftover_prefix(key);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_list(layers, &names, NULL) < 0)
                return false;
        for (size_t i = 0; i < names.count; i++)
                if (starts_with(names.items[i], prefix))
                        return true;
        return false;
}

/* Removes what killed builders of this key left; we hold the lock, so they are gone. If this kind resumes, one of the folders
 * becomes `temporary` instead. */
static int take_leftovers(const char *layers, const char *key, const char *temporary, const struct layer_builder *builder,
                          struct error **err)
{
        _cleanup_(freep) char *prefix = leftover_prefix(key);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_list(layers, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(layers, names.items[i]);

                if (!starts_with(names.items[i], prefix))
                        continue;
                if (builder->tidy(path, err) < 0)
                        return -1;
                if (builder->resumes && streq(path, temporary))
                        continue;
                if (builder->resumes && !file_exists(temporary) ? file_rename(path, temporary, err) < 0
                                                                : file_remove(path, err) < 0)
                        return -1;
        }
        return 0;
}

/* Gives the layer its final name, unless another process was faster. */
static int put_in_place(const char *temporary, const char *key, const char *became, struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(became);
        _cleanup_(freep) char *path = layer_lock_path(became);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(layer_clear) struct layer other = LAYER_INIT;
        _cleanup_(freep) char *unused = NULL;
        int there;

        if (streq(key, became))
                return file_rename(temporary, folder, err);
        /* Whoever waits for this lock sees that it is gone, and looks again. */
        unused = layer_lock_path(key);
        file_remove(unused, NULL);
        /* It may have become the layer that it stands on: nothing came in. That one's lock is ours already. */
        if (layer_find(became, &other, NULL) > 0)
                return file_remove(temporary, err);
        if (lock_acquire(&lock, path, LOCK_EXCLUSIVE, LOCK_TIMEOUT_MS, err) < 0)
                return -1;
        there = layer_find(became, &other, err);
        if (there != 0)
                return there < 0 ? -1 : file_remove(temporary, err);
        return file_rename(temporary, folder, err);
}

/* Builds beside the layer's place, then renames. */
static int build(const char *key, const struct layer_builder *builder, void *data, const struct lock *lock,
                 struct event_sink *events, const char **became, struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(key);
        _cleanup_(freep) char *layers = path_folder(folder);
        _cleanup_(freep) char *temporary = xasprintf("%s.tmp-%ld", folder, (long)getpid());

        if (take_leftovers(layers, key, temporary, builder, err) < 0 || file_make_private_folder(temporary, err) < 0)
                return -1;
        if (builder->build(data, temporary, lock, events, err) < 0) {
                interrupt_hold();
                /* The next builder removes what can't be removed now. */
                if (builder->tidy(temporary, NULL) == 0 && !builder->resumes)
                        file_remove(temporary, NULL);
                interrupt_go_on();
                return -1;
        }
        *became = builder->became ? builder->became(data) : key;
        event_line(events, "hashing");
        if (builder->tidy(temporary, err) < 0 || layer_sums_write(temporary, err) < 0 || file_sync_folder(temporary, err) < 0)
                return -1;
        return put_in_place(temporary, key, *became, err);
}

/* Returns 1 for a layer that can be used, maybe after it was mended; 0 for none; -1 for a damaged one. */
static int look_for_whole(const char *key, struct event_sink *events, struct layer *out)
{
        int there = layer_find(key, out, NULL);

        return there < 0 && layer_mend(key, events, NULL) == 0 ? layer_find(key, out, NULL) : there;
}

static int make_way(const char *key, struct event_sink *events, struct error **err)
{
        if (layer_clear_away(key, err) < 0)
                return -1;
        event_note(events, "layer '%.12s' was damaged, and no VM needs it: it is made anew", key);
        return 0;
}

/* Builds under the lock, with progress. What went on from an earlier build says nothing of how long one takes. */
static int build_and_tell(const char *key, const struct layer_builder *builder, void *data, const struct lock *lock,
                          struct event_sink *events, const char **became, struct error **err)
{
        _cleanup_(freep) char *layers = paths_data("layers");
        bool resumed = builder->resumes && has_leftovers(layers, key);
        bool counts = builder->build_name && !resumed;
        struct build_cost before = counts ? builds_recall(builder->build_name) : (struct build_cost){ 0 };
        _cleanup_(freep) char *folder = NULL;
        int64_t started = now_ms();

        event_begin_expecting(events, builder->kind, before.ms, "%s%s", builder->doing,
                              resumed ? ", from where it was stopped" : "");
        if (build(key, builder, data, lock, events, became, err) < 0) {
                event_end(events, builder->kind, EVENT_FAILED, NULL);
                return -1;
        }
        event_end(events, builder->kind, EVENT_DONE, NULL);
        folder = layer_folder(*became);
        if (counts)
                builds_remember(builder->build_name,
                                &(struct build_cost){ .ms = now_ms() - started + 1, .bytes = layer_bytes(folder) });
        return 0;
}

int layer_ensure(const char *key, const struct layer_builder *builder, void *data, struct event_sink *events, struct layer *out,
                 struct error **err)
{
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(freep) char *path = layer_lock_path(key);
        _cleanup_(freep) char *layers = path_folder(path);
        _cleanup_(freep) char *note = xasprintf("another process is building %s; waiting for it", builder->what);
        const char *became;
        int there;

        if (look_for_whole(key, events, out) > 0)
                return 0;
        if (file_make_folders(layers, 0700, err) < 0)
                return -1;
        if (lock_await(&lock, path, LOCK_EXCLUSIVE, LOCK_TIMEOUT_MS, events, note, err) < 0)
                return -1;
        there = look_for_whole(key, events, out);
        if (there > 0)
                return 0;
        if (interrupt_check(err) < 0 || (there < 0 && make_way(key, events, err) < 0))
                return -1;
        return build_and_tell(key, builder, data, &lock, events, &became, err) < 0 ? -1 : layer_open(became, out, err);
}

int layer_use(const char *key, struct lock *lock, struct error **err)
{
        _cleanup_(freep) char *path = layer_lock_path(key);

        if (lock_acquire(lock, path, LOCK_SHARED, LOCK_TIMEOUT_MS, err) < 0)
                return -1;
        /* A failure is harmless: only the order of last use depends on it. */
        futimens(lock->fd, NULL);
        return 0;
}

int layer_seal(const char *path, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || fchmod(fd, 0444) < 0 || fsync(fd) < 0)
                return error_errno(err, ERROR_FAILED, "cannot seal '%s'", path);
        return 0;
}
