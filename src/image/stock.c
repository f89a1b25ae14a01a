#include "image/stock.h"

#include <errno.h>
#include <sys/stat.h>

#include "host/paths.h"
#include "image/base-build.h"
#include "image/base.h"
#include "image/layer-mend.h"
#include "image/layer-sums.h"
#include "image/qcow2.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/text.h"

#define KEY_LENGTH HASH_HEX_LENGTH
#define UNFINISHED ".tmp-"

static bool is_unfinished(const char *name)
{
        const char *number = name + KEY_LENGTH + strlen(UNFINISHED);

        return strlen(name) > KEY_LENGTH && strspn(name, "0123456789abcdef") == KEY_LENGTH &&
               starts_with(name + KEY_LENGTH, UNFINISHED) && *number && strspn(number, "0123456789") == strlen(number);
}

static char *describe(const struct layer *layer)
{
        const char *what = layer_text(layer, streq(layer->kind, STOCK_RECIPE) ? "about" : "suite");
        bool wide = *layer_text(layer, "plain");

        return xasprintf("%s%s for '%s'%s", what, wide ? " with the recipe's packages" : "", layer_text(layer, "user"),
                         json_array_size(json_object_get(layer->manifest, "lacks")) > 0 ? ", incomplete" : "");
}

static struct engine_layer *add(struct engine_layers *out, const char *key, const char *kind)
{
        _cleanup_(freep) char *lock = layer_lock_path(key);
        struct stat status;

        out->items = xreallocarray(out->items, out->count + 1, sizeof(*out->items));
        out->items[out->count] = (struct engine_layer){ .key = xstrdup(key), .kind = xstrdup(kind) };
        if (stat(lock, &status) == 0)
                out->items[out->count].used = text_format_time(status.st_mtime);
        return &out->items[out->count++];
}

/* Does somebody make something from the layer, or remove it? */
static bool is_held(const char *key)
{
        _cleanup_(freep) char *lock = layer_lock_path(key);

        return lock_is_used(lock, NULL) > 0;
}

/* What decides whether a layer is current. */
struct now {
        bool asked;
        struct layer base; /* the plain one, if it is there */
};

static void add_lacks(const struct layer *layer, struct engine_layer *item)
{
        const json_t *lacks = json_object_get(layer->manifest, "lacks");

        for (size_t i = 0; i < json_array_size(lacks); i++)
                if (json_is_string(json_array_get(lacks, i)))
                        strv_add(&item->lacks, json_string_value(json_array_get(lacks, i)));
}

static void add_snapshot(const struct layer *layer, struct engine_layer *item)
{
        _cleanup_(freep) char *moment = path_join(layer->folder, LAYER_SNAPSHOT_MOMENT);

        item->uuid = xstrdup(layer_text(layer, "uuid"));
        item->label = xstrdup(layer_text(layer, "label"));
        item->about = xasprintf("'%s' of '%s'", item->label, layer_text(layer, "vm"));
        item->automatic = json_is_true(json_object_get(layer->manifest, "automatic"));
        item->kept = !json_is_true(json_object_get(layer->manifest, "dropped"));
        item->with_memory = file_exists(moment);
        item->disk_bytes += layer_bytes(moment);
}

static void add_layer(const struct layer *layer, const struct now *now, const struct stock_kind *kind,
                      struct engine_layers *out)
{
        struct engine_layer *item = add(out, layer->key, layer->kind);

        item->held = is_held(layer->key);
        item->engine = *layer_text(layer, "engine") ? xstrdup(layer_text(layer, "engine")) : NULL;
        item->parent = *layer_text(layer, "parent") ? xstrdup(layer_text(layer, "parent")) : NULL;
        item->created = xstrdup(layer_text(layer, "created"));
        item->disk_bytes = layer_bytes(layer->folder);
        if (kind && streq(layer->kind, kind->name)) {
                kind->describe(layer, now->asked, item);
                item->disk_bytes -= item->memory_bytes;
                return;
        }
        if (streq(layer->kind, LAYER_SNAPSHOT)) {
                add_snapshot(layer, item);
                return;
        }
        item->about = describe(layer);
        add_lacks(layer, item);
        item->current = streq_ptr(layer->key, now->base.key);
}

/* Whether the builder lives, its lock says. */
static void add_unfinished(const char *name, const char *folder, struct engine_layers *out)
{
        _cleanup_(freep) char *key = xstrndup(name, KEY_LENGTH);
        _cleanup_(freep) char *lock = layer_lock_path(key);
        bool building = lock_is_held(lock, NULL) > 0;
        struct engine_layer *item = add(out, name, building ? "building" : "unfinished");

        item->about = xstrdup(building ? "being built" : "left by a build that was interrupted");
        item->held = building;
        item->disk_bytes = layer_bytes(folder);
}

/* A layer that can't be read is listed all the same, so that it can be removed. */
static void add_name(const char *name, const struct now *now, const struct stock_kind *kind, struct engine_layers *out)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(freep) char *folder = layer_folder(name);
        struct engine_layer *item;
        int there = layer_is_key(name) ? layer_find(name, &layer, &reason) : -1;

        if (there > 0)
                add_layer(&layer, now, kind, out);
        if (there >= 0)
                return;
        if (is_unfinished(name)) {
                add_unfinished(name, folder, out);
                return;
        }
        item = add(out, name, "damaged");
        item->unsure = layer_below(name, &item->parent, NULL) < 0;
        item->about = error_text(reason);
        item->disk_bytes = layer_bytes(folder);
}

int stock_list(const char *user, const struct stock_kind *kind, struct engine_layers *out, struct error **err)
{
        _cleanup_(engine_layers_clear) struct engine_layers layers = ENGINE_LAYERS_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        struct now now = { .asked = user != NULL, .base = LAYER_INIT };
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *folder = paths_data("layers");

        if (file_list(folder, &names, &reason) < 0 && reason->kind != ERROR_NOT_FOUND) {
                if (err)
                        *err = TAKE_PTR(reason);
                return -1;
        }
        if (user)
                base_find(user, NULL, &now.base, NULL);
        for (size_t i = 0; i < names.count; i++)
                if (layer_is_key(names.items[i]) || is_unfinished(names.items[i]))
                        add_name(names.items[i], &now, kind, &layers);
        layer_clear(&now.base);
        *out = layers;
        layers = (struct engine_layers)ENGINE_LAYERS_INIT;
        return 0;
}

/* --- found */

int stock_base(const char *user, const struct strv *packages, bool make, struct event_sink *events, char **key,
               struct error **err)
{
        _cleanup_(layer_clear) struct layer base = LAYER_INIT;
        int there = base_find(user, packages, &base, err);

        if (there <= 0 && make)
                there = base_ensure(user, packages, events, &base, err) < 0 ? -1 : 1;
        if (there > 0)
                *key = xstrdup(base.key);
        return there;
}

int stock_stands_on(const char *key, const char *below, struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(below);
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        if (layer_open(key, &layer, err) < 0)
                return -1;
        return strv_contains(&layer.folders, folder) || streq_ptr(layer.plain, below);
}

int stock_has(const char *key, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        return layer_find(key, &layer, err);
}

int stock_check(const char *key, bool read_all, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(qcow2_header_clear) struct qcow2_header header = QCOW2_HEADER_INIT;

        if (layer_open(key, &layer, err) < 0)
                return -1;
        if (ends_with(layer.disk, LAYER_DISK) && qcow2_read(layer.disk, &header, err) < 0)
                return error_wrap(err, "the disk '%s' is damaged", layer.disk);
        return read_all ? layer_sums_check(layer.folder, err) : 0;
}

int stock_mend(const char *key, bool bad_content, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *path = layer_lock_path(key);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        if (lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, err) < 0)
                return -1;
        if (!bad_content && layer_mend(key, events, NULL) == 0 && stock_check(key, false, NULL) >= 0)
                return 0;
        return layer_clear_away(key, err) < 0 ? -1 : 1;
}

/* --- filled */

/* An image that isn't stored as a layer can't be removed, so there is nothing to hold. */
static int hold_parent(const char *key, struct lock *lock, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        int there = stock_has(key, err);

        if (there <= 0)
                return there;
        /* Looks again, because it may have been removed before it was held. */
        return layer_use(key, lock, err) < 0 ? -1 : layer_open(key, &layer, err);
}

int stock_fill(const struct engine_filling *wanted, const struct layer_builder *how, void *data, struct event_sink *events,
               char **key, struct error **err)
{
        _cleanup_(freep) char *what = xasprintf("the layer of '%s'", wanted->about);
        _cleanup_(freep) char *doing = xasprintf("filling the layer of '%s'", wanted->about);
        _cleanup_(layer_clear) struct layer made = LAYER_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        struct layer_builder builder = *how;

        builder.what = what;
        builder.kind = STOCK_RECIPE;
        builder.doing = doing;
        builder.build_name = wanted->about;
        builder.resumes = true;
        if (hold_parent(wanted->parent, &lock, err) < 0 || layer_ensure(wanted->key, &builder, data, events, &made, err) < 0)
                return -1;
        *key = xstrdup(made.key);
        return 0;
}

void stock_note_lacks(const struct engine_filled *filled, json_t *manifest)
{
        if (filled->lacks.count > 0)
                json_object_set_new(manifest, "lacks", json_strings(&filled->lacks));
}

/* --- removed */

/* A layer of which that can't be told counts as one that stands on `key`. */
static int is_parent(const char *key, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *folder = paths_data("layers");

        if (file_list(folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *below = NULL;
                int stands = layer_is_key(names.items[i]) && !streq(names.items[i], key)
                                     ? layer_below(names.items[i], &below, NULL)
                                     : 0;

                if (stands < 0 || (stands > 0 && streq(below, key)))
                        return 1;
        }
        return 0;
}

static int remove_whole(const char *name, const struct stock_kind *kind, struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(name);
        _cleanup_(freep) char *lock = layer_lock_path(name);

        if (is_unfinished(name) && (base_build_tidy(folder, err) < 0 || (kind && kind->tidy(folder, err) < 0)))
                return -1;
        if (file_remove(folder, err) < 0)
                return -1;
        return is_unfinished(name) ? 0 : file_remove(lock, err);
}

int stock_remove(const char *key, const struct stock_kind *kind, bool memory_only, engine_in_use_fn in_use, void *data,
                 struct error **err)
{
        _cleanup_(freep) char *plain = xstrndup(key, KEY_LENGTH);
        _cleanup_(freep) char *path = layer_lock_path(plain);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        int used;

        if (!layer_is_key(plain) || (!layer_is_key(key) && !is_unfinished(key)))
                return error_set(err, ERROR_FAILED, "'%s' is not a layer's key", key);
        /* Whoever builds it, or makes something from it, holds this lock. */
        if (lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, NULL) < 0)
                return 0;
        if (memory_only)
                return kind ? kind->drop_memory(key, err) : 1;
        used = is_parent(key, err);
        if (used == 0)
                used = in_use(key, data, err);
        if (used != 0)
                return used < 0 ? -1 : 0;
        return remove_whole(key, kind, err) < 0 ? -1 : 1;
}
