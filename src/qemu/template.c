#include "qemu/template.h"

#include <errno.h>
#include <unistd.h>

#include "host/paths.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/usage.h"
#include "qemu/scratch.h"
#include "qemu/shape.h"
#include "qemu/template-build.h"

/* Raised when the same inputs would become a different template. */
#define RECIPE_VERSION "2"

/* --- its key */

static int hash_inputs(const struct template_wish *wish, char **out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;
        struct hash hash;

        if (throwaway_script("warm", &script, err) < 0)
                return -1;
        hash_init(&hash);
        hash_add_text(&hash, "template " RECIPE_VERSION);
        hash_add_text(&hash, wish->base->key);
        hash_add_text(&hash, wish->user);
        shape_hash(&hash, &(struct shape){ .toolkit = wish->toolkit,
                                           .kvm = wish->acceleration->kvm,
                                           .cpus = wish->cpus,
                                           .memory_bytes = wish->memory_bytes,
                                           .from_template = true });
        hash_add(&hash, script.buf, script.len);
        *out = hash_hex(&hash);
        return 0;
}

static char *serial_key(const char *inputs, int serial)
{
        struct hash hash;
        char number[16];

        snprintf(number, sizeof(number), "%d", serial);
        hash_init(&hash);
        hash_add_text(&hash, inputs);
        hash_add_text(&hash, number);
        return hash_hex(&hash);
}

/* --- its files */

bool template_is(const struct layer *layer)
{
        return layer->kind && streq(layer->kind, "template");
}

char *template_memory(const struct layer *layer)
{
        return path_join(layer->folder, "memory");
}

char *template_state(const struct layer *layer)
{
        return path_join(layer->folder, "state");
}

int64_t template_bytes(const struct layer *layer)
{
        _cleanup_(freep) char *memory = template_memory(layer);
        _cleanup_(freep) char *state = template_state(layer);

        return usage_of(memory) + usage_of(state);
}

int template_drop(const struct layer *layer, struct error **err)
{
        _cleanup_(freep) char *memory = template_memory(layer);
        _cleanup_(freep) char *state = template_state(layer);

        return file_remove(state, err) < 0 ? -1 : file_remove(memory, err);
}

static int check_file(const struct layer *layer, const char *name, struct error **err)
{
        _cleanup_(freep) char *path = path_join(layer->folder, name);
        _cleanup_(json_decrefp) json_t *now = template_stamp(path, err);

        if (!now)
                return -1;
        if (!json_equal(now, json_object_get(layer->manifest, name)))
                return error_set(err, ERROR_ENGINE, "'%s' has changed since it was saved", path);
        return 0;
}

static int fits(const struct layer *layer, const char *inputs, struct error **err)
{
        const char *built;

        if (json_get_string(layer->manifest, "inputs", &built, err) < 0)
                return -1;
        return streq(inputs, built) ? 0 : error_set(err, ERROR_ENGINE, "it was made for another QEMU");
}

int template_fits(const struct layer *layer, const struct template_wish *wish, struct error **err)
{
        _cleanup_(freep) char *inputs = NULL;

        return hash_inputs(wish, &inputs, err) < 0 ? -1 : fits(layer, inputs, err);
}

int template_check(const struct layer *layer, struct error **err)
{
        return check_file(layer, "memory", err) < 0 ? -1 : check_file(layer, "state", err);
}

/* --- finding and making one */

struct template_wish template_wish_for(const struct vm_record *record, const struct layer *base, const struct toolkit *toolkit,
                                       const struct acceleration *acceleration)
{
        return (struct template_wish){
                .base = base,
                .user = record->user,
                .shell = record->shell,
                .cpus = record->cpus,
                .memory_bytes = record->memory_bytes,
                .toolkit = toolkit,
                .acceleration = acceleration,
        };
}

/* Looks for one of that kind that can be restored, whatever its serial number. Returns 1, or 0 when there is none. */
static int find(const char *inputs, struct layer *out, struct error **err)
{
        _cleanup_(freep) char *layers = paths_data("layers");
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (!file_is_folder(layers))
                return 0;
        if (file_list(layers, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

                if (layer_find(names.items[i], &layer, NULL) > 0 && template_is(&layer) && fits(&layer, inputs, NULL) == 0 &&
                    template_check(&layer, NULL) == 0) {
                        *out = layer;
                        layer = (struct layer)LAYER_INIT;
                        return 1;
                }
        }
        return 0;
}

/* The key for the next one of that kind: those that were dropped keep theirs. Owned by the caller. */
static char *free_key(const char *inputs)
{
        for (int serial = 0;; serial++) {
                _cleanup_(freep) char *key = serial_key(inputs, serial);
                _cleanup_(freep) char *folder = layer_folder(key);

                if (!file_exists(folder))
                        return TAKE_PTR(key);
        }
}

int template_find(const struct template_wish *wish, struct layer *out, struct error **err)
{
        _cleanup_(freep) char *inputs = NULL;

        return hash_inputs(wish, &inputs, err) < 0 ? -1 : find(inputs, out, err);
}

int template_ensure(const struct template_wish *wish, struct event_sink *events, struct layer *out, struct error **err)
{
        _cleanup_(freep) char *inputs = NULL;
        _cleanup_(freep) char *key = NULL;
        _cleanup_(freep) char *doing = NULL;
        struct template_build build = { .wish = wish };
        struct layer_builder builder = template_builder;
        int there;

        if (hash_inputs(wish, &inputs, err) < 0)
                return -1;
        there = find(inputs, out, err);
        if (there != 0)
                return there < 0 ? -1 : 0;
        key = free_key(inputs);
        build.inputs = inputs;
        build.key = key;
        doing = xasprintf("warming up a template with %jd processor%s and %jd MiB for VMs like this one", (intmax_t)wish->cpus,
                          wish->cpus == 1 ? "" : "s", (intmax_t)(wish->memory_bytes >> 20));
        builder.doing = doing;
        return layer_ensure(key, &builder, &build, events, out, err);
}
