/* The layers there are: listed, built ahead, removed. */
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "engine.h"
#include "host/paths.h"
#include "image/base-build.h"
#include "image/base.h"
#include "lib/file.h"
#include "lib/text.h"
#include "template-build.h"
#include "template.h"

#define KEY_LENGTH 64
#define UNFINISHED ".tmp-"

static bool is_key(const char *name)
{
        return strlen(name) == KEY_LENGTH && strspn(name, "0123456789abcdef") == KEY_LENGTH;
}

static bool is_unfinished(const char *name)
{
        const char *number = name + KEY_LENGTH + strlen(UNFINISHED);

        return strlen(name) > KEY_LENGTH && strspn(name, "0123456789abcdef") == KEY_LENGTH &&
               starts_with(name + KEY_LENGTH, UNFINISHED) && *number && strspn(number, "0123456789") == strlen(number);
}

static int64_t bytes_of(const char *folder, const char *name)
{
        _cleanup_(freep) char *path = path_join(folder, name);
        struct stat status;

        return lstat(path, &status) == 0 ? (int64_t)status.st_blocks * 512 : 0;
}

static int64_t bytes_of_all(const char *folder)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        int64_t total = 0;

        if (file_list(folder, &names, NULL) < 0)
                return 0;
        for (size_t i = 0; i < names.count; i++)
                total += bytes_of(folder, names.items[i]);
        return total;
}

static const char *text_of(const struct layer *layer, const char *key)
{
        const char *text = json_string_value(json_object_get(layer->manifest, key));

        return text ? text : "";
}

static int64_t number_of(const struct layer *layer, const char *key)
{
        return (int64_t)json_integer_value(json_object_get(layer->manifest, key));
}

static char *describe(const struct layer *layer)
{
        _cleanup_(freep) char *memory = NULL;

        if (streq(layer->kind, "recipe"))
                return xasprintf("%s for '%s'", text_of(layer, "about"), text_of(layer, "user"));
        if (!template_is(layer))
                return xasprintf("%s for '%s'", text_of(layer, "suite"), text_of(layer, "user"));
        memory = text_format_size(number_of(layer, "memory_bytes"));
        return xasprintf("%jd cpu%s, %s, %s", (intmax_t)number_of(layer, "cpus"), number_of(layer, "cpus") == 1 ? "" : "s",
                         memory, text_of(layer, "accelerator"));
}

/* Would a new VM of the template's own size be made from it? */
static bool is_fresh(const struct layer *layer)
{
        _cleanup_(freep) char *parent = xstrdup(text_of(layer, "parent"));

        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;

        if (toolkit_find(&toolkit, NULL) < 0)
                return false;
        acceleration_find(&acceleration);
        return template_fits(layer,
                             &(struct template_wish){ .base = &(struct layer){ .key = parent },
                                                      .user = text_of(layer, "user"),
                                                      .shell = "",
                                                      .cpus = number_of(layer, "cpus"),
                                                      .memory_bytes = number_of(layer, "memory_bytes"),
                                                      .toolkit = &toolkit,
                                                      .acceleration = &acceleration },
                             NULL) == 0 &&
               template_check(layer, NULL) == 0;
}

static struct engine_layer *add(struct engine_layers *out, const char *key, const char *kind)
{
        _cleanup_(freep) char *lock = layer_lock_path(key);
        struct stat status;

        out->items = xreallocarray(out->items, out->count + 1, sizeof(*out->items));
        out->items[out->count] = (struct engine_layer){ .key = xstrdup(key), .kind = xstrdup(kind) };
        if (stat(lock, &status) == 0)
                out->items[out->count].used = text_format_time(status.st_mtim.tv_sec);
        return &out->items[out->count++];
}

static void add_layer(const struct layer *layer, const struct layer *base, struct engine_layers *out)
{
        struct engine_layer *item = add(out, layer->key, layer->kind);

        item->parent = *text_of(layer, "parent") ? xstrdup(text_of(layer, "parent")) : NULL;
        item->about = describe(layer);
        item->created = xstrdup(text_of(layer, "created"));
        item->memory_bytes = template_is(layer) ? template_bytes(layer) : 0;
        item->disk_bytes = bytes_of_all(layer->folder) - item->memory_bytes;
        if (base->key)
                item->current = template_is(layer) ? is_fresh(layer) : streq(layer->key, base->key);
}

/* One that can't be read is listed all the same, so that it can be removed. */
static int add_name(const char *name, const struct layer *base, struct engine_layers *out, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(freep) char *folder = layer_folder(name);
        struct engine_layer *item;
        int there = is_key(name) ? layer_find(name, &layer, &reason) : -1;

        if (there > 0)
                add_layer(&layer, base, out);
        if (there >= 0)
                return 0;
        item = add(out, name, is_unfinished(name) ? "unfinished" : "damaged");
        item->about = reason ? error_text(reason) : xstrdup("left by a build that goes on, or was ended");
        item->disk_bytes = bytes_of_all(folder);
        return 0;
}

int engine_layers(const char *user, struct engine_layers *out, struct error **err)
{
        _cleanup_(engine_layers_clear) struct engine_layers layers = ENGINE_LAYERS_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(layer_clear) struct layer base = LAYER_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *folder = paths_data("layers");

        if (file_list(folder, &names, &reason) < 0 && reason->kind != ERROR_NOT_FOUND) {
                if (err)
                        *err = TAKE_PTR(reason);
                return -1;
        }
        if (user)
                base_find(user, &base, NULL);
        for (size_t i = 0; i < names.count; i++)
                if ((is_key(names.items[i]) || is_unfinished(names.items[i])) &&
                    add_name(names.items[i], &base, &layers, err) < 0)
                        return -1;
        *out = layers;
        layers = (struct engine_layers)ENGINE_LAYERS_INIT;
        return 0;
}

/* --- found and built ahead */

int engine_base_layer(const char *user, bool make, struct event_sink *events, char **key, struct error **err)
{
        _cleanup_(layer_clear) struct layer base = LAYER_INIT;
        int there = base_find(user, &base, err);

        if (there == 0 && make)
                there = base_ensure(user, events, &base, err) < 0 ? -1 : 1;
        if (there > 0)
                *key = xstrdup(base.key);
        return there;
}

int engine_stands_on(const char *key, const char *below, struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(below);
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        return layer_open(key, &layer, err) < 0 ? -1 : strv_contains(&layer.folders, folder);
}

int engine_has_layer(const char *key, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        return layer_find(key, &layer, err);
}

static int bake_template(const struct vm_record *record, const struct layer *base, bool force, struct event_sink *events,
                         struct error **err)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;
        const struct template_wish wish = {
                .base = base,
                .user = record->user,
                .shell = record->shell,
                .cpus = record->cpus,
                .memory_bytes = record->memory_bytes,
                .toolkit = &toolkit,
                .acceleration = &acceleration,
        };
        _cleanup_(layer_clear) struct layer old = LAYER_INIT;
        _cleanup_(layer_clear) struct layer made = LAYER_INIT;
        int there;

        if (toolkit_find(&toolkit, err) < 0)
                return -1;
        acceleration_find(&acceleration);
        there = force ? template_find(&wish, &old, err) : 0;
        if (there < 0 || (there > 0 && template_drop(&old, err) < 0))
                return -1;
        return template_ensure(&wish, events, &made, err);
}

int engine_bake(const struct vm_record *record, bool force, struct event_sink *events, struct error **err)
{
        _cleanup_(layer_clear) struct layer base = LAYER_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        if (create_find_base(record, events, &base, &lock, err) < 0)
                return -1;
        return record->cold ? 0 : bake_template(record, &base, force, events, err);
}

/* --- removed */

static int is_parent(const char *key, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *folder = paths_data("layers");

        if (file_list(folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

                if (is_key(names.items[i]) && layer_find(names.items[i], &layer, NULL) > 0 &&
                    streq(text_of(&layer, "parent"), key))
                        return 1;
        }
        return 0;
}

static int remove_whole(const char *name, struct error **err)
{
        _cleanup_(freep) char *folder = layer_folder(name);
        _cleanup_(freep) char *lock = layer_lock_path(name);

        if (is_unfinished(name) && (base_build_tidy(folder, err) < 0 || template_builder.tidy(folder, err) < 0))
                return -1;
        if (file_remove(folder, err) < 0)
                return -1;
        return is_unfinished(name) ? 0 : file_remove(lock, err);
}

static int drop_memory(const char *key, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        int there = layer_find(key, &layer, err);

        if (there < 0 || (there > 0 && template_drop(&layer, err) < 0))
                return -1;
        return 1;
}

int engine_remove_layer(const char *key, bool memory_only, engine_in_use_fn in_use, void *data, struct error **err)
{
        _cleanup_(freep) char *plain = xstrndup(key, KEY_LENGTH);
        _cleanup_(freep) char *path = layer_lock_path(plain);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        int used;

        if (!is_key(plain) || (!is_key(key) && !is_unfinished(key)))
                return error_set(err, ERROR_FAILED, "'%s' is no layer's key", key);
        /* Whoever builds it, or makes something from it, has it. */
        if (lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, NULL) < 0)
                return 0;
        if (memory_only)
                return drop_memory(key, err);
        used = is_parent(key, err);
        if (used == 0)
                used = in_use(key, data, err);
        if (used != 0)
                return used < 0 ? -1 : 0;
        return remove_whole(key, err) < 0 ? -1 : 1;
}
