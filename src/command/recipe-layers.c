#include "command/recipe-layers.h"

#include <unistd.h>

#include "command/recipe-apply.h"
#include "command/recipe-view.h"
#include "guest/session.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/hash.h"

/* Raised when the same inputs would be made into another layer. */
#define FORM "recipe layer 1"

void recipe_layers_clear(struct recipe_layers *layers)
{
        free(layers->key);
        free(layers->hash);
        *layers = (struct recipe_layers)RECIPE_LAYERS_INIT;
}

/* --- keys */

static int hash_folder(struct hash *hash, const char *path, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_list(path, &names, err) < 0)
                return -1;
        strv_sort(&names);
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *inner = path_join(path, names.items[i]);

                hash_add_text(hash, names.items[i]);
                if ((file_is_folder(inner) ? hash_folder(hash, inner, err) : hash_add_file(hash, inner, err)) < 0)
                        return -1;
        }
        return 0;
}

/* Of the programs that run in the guest. Owned by the caller; NULL with an error. */
static char *hash_programs(struct error **err)
{
        static const char *const names[] = { "guest/recipe", "guest/template/strip", "guest/template/settle" };
        struct hash hash;

        hash_init(&hash);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = paths_shipped(names[i], err);

                if (!path || (file_is_folder(path) ? hash_folder(&hash, path, err) : hash_add_file(&hash, path, err)) < 0)
                        return NULL;
        }
        return hash_hex(&hash);
}

/* Of the layer of `part` on `parent`, filled by `programs`; one engine's disk is not another's. Owned by the caller. */
static char *key_of(const struct engine *engine, const char *parent, const struct recipe_part *part, const char *programs)
{
        struct hash hash;

        hash_init(&hash);
        hash_add_text(&hash, FORM);
        hash_add_text(&hash, engine->name);
        hash_add_text(&hash, parent);
        hash_add_text(&hash, part->name);
        for (size_t i = 0; i < part->step_count; i++) {
                if (part->steps[i].skipped)
                        continue;
                hash_add_text(&hash, part->steps[i].id);
                hash_add_text(&hash, part->steps[i].hash);
        }
        hash_add_text(&hash, programs);
        return hash_hex(&hash);
}

static bool has_layers(const struct engine *engine, const struct target *target)
{
        return engine->fill_layer && !target->project.image;
}

static const struct recipe_part *lowest_part(const struct recipe *recipe)
{
        for (size_t p = 0; p < recipe->part_count; p++)
                if (recipe_apply_has_work(&recipe->parts[p]))
                        return &recipe->parts[p];
        return NULL;
}

/* --- what they stand on */

/* Fewer packages are not worth an image of their own, which takes half a minute and a gigabyte. */
#define IMAGE_PACKAGES_LEAST 8

struct ground {
        struct context *context; /* NULL = nothing is made */
        const struct engine *engine;
        const char *user;
        const struct recipe_part *part; /* the lowest that has work; NULL = there is none */
        const char *programs;
};

/*
 * The packages that the image itself can have: those of the recipe's base. As root their scripts would run as root of this
 * computer, so there a checkout has no say in it.
 */
static void image_packages(const struct recipe_part *part, struct strv *out)
{
        if (part && streq(part->name, RECIPE_BASE) && (geteuid() != 0 || !streq(part->origin, "checkout")))
                recipe_debian_packages(part, out);
}

/* Is there a layer of the part on the plain image, from when or where that was all there was to stand on? */
static int find_on_plain(const struct ground *ground, char **base, struct error **err)
{
        _cleanup_(freep) char *plain = NULL;
        _cleanup_(freep) char *layer = NULL;
        int there = ground->engine->base_layer(ground->user, NULL, false, NULL, &plain, err);

        if (there <= 0)
                return there;
        layer = key_of(ground->engine, plain, ground->part, ground->programs);
        there = ground->engine->has_layer(layer, err);
        if (there > 0)
                *base = TAKE_PTR(plain);
        return there;
}

/* The image with the recipe's packages, where it can be had. */
static int make_wide(const struct ground *ground, const struct strv *packages, char **base)
{
        struct event_sink *events = ground->context->events;
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(freep) char *text = NULL;
        int there = ground->engine->base_layer(ground->user, packages, true, events, base, &reason);

        if (there >= 0)
                return there;
        text = error_text(reason);
        event_warning(events, "the recipe's packages are not in the image, and come by its steps: %s", text);
        return 0;
}

/* The image that the recipe's layers stand on: 1, 0 where it isn't there and not to be made, -1. */
static int find_ground(const struct ground *ground, char **base, struct error **err)
{
        _cleanup_(strv_clear) struct strv packages = STRV_INIT;
        int there = 0;

        image_packages(ground->part, &packages);
        if (packages.count >= IMAGE_PACKAGES_LEAST) {
                there = ground->engine->base_layer(ground->user, &packages, false, NULL, base, err);
                if (there == 0)
                        there = find_on_plain(ground, base, err);
                if (there == 0 && ground->context)
                        there = make_wide(ground, &packages, base);
        }
        return there != 0 ? there
                          : ground->engine->base_layer(ground->user, NULL, ground->context != NULL,
                                                       ground->context ? ground->context->events : NULL, base, err);
}

/* --- making them */

struct part_filling {
        struct context *context;
        const struct engine *engine;
        const struct target *target;
        struct recipe *recipe;
        size_t part;
        const char *parent;
        const char *programs;
};

static int fill(const struct vm *vm, void *data, struct event_sink *events _unused_, char **key, struct error **err)
{
        struct part_filling *filling = data;
        int status = recipe_apply_part(filling->context, vm, filling->target, filling->recipe, filling->part, err);

        session_close(vm);
        if (status < 0)
                return -1;
        *key = key_of(filling->engine, filling->parent, &filling->recipe->parts[filling->part], filling->programs);
        return 0;
}

static int ensure_part(const struct vm_record *record, struct part_filling *filling, char **layer, struct error **err)
{
        const struct recipe_part *part = &filling->recipe->parts[filling->part];
        _cleanup_(freep) char *about =
                streq(part->name, RECIPE_BASE) ? xstrdup(part->name) : xasprintf("profile %s", part->name);
        _cleanup_(freep) char *wanted = key_of(filling->engine, *layer, part, filling->programs);
        char *made = NULL;

        filling->parent = *layer;
        if (filling->engine->fill_layer(
                    &(struct engine_filling){
                            .parent = *layer, .key = wanted, .about = about, .record = record, .fill = fill, .data = filling },
                    filling->context->events, &made, err) < 0)
                return -1;
        set_string(layer, made);
        return 0;
}

static int ensure(struct context *context, const struct engine *engine, const struct vm_record *record,
                  const struct target *target, struct recipe_layers *out, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        struct part_filling filling = { .context = context, .engine = engine, .target = target, .recipe = &recipe };
        _cleanup_(freep) char *programs = NULL;
        _cleanup_(freep) char *layer = NULL;

        if (recipe_view_read(target, &recipe, err) < 0)
                return -1;
        if (!recipe_has_steps(&recipe))
                return 0;
        filling.programs = programs = hash_programs(err);
        if (!programs || find_ground(&(struct ground){ .context = context,
                                                       .engine = engine,
                                                       .user = record->user,
                                                       .part = lowest_part(&recipe),
                                                       .programs = programs },
                                     &layer, err) < 0)
                return -1;
        for (filling.part = 0; filling.part < recipe.part_count; filling.part++)
                if (recipe_apply_has_work(&recipe.parts[filling.part]) && ensure_part(record, &filling, &layer, err) < 0)
                        return -1;
        out->key = TAKE_PTR(layer);
        out->hash = recipe_hash(&recipe);
        return 0;
}

int recipe_layers_ensure(struct context *context, const struct engine *engine, const struct vm_record *record,
                         const struct target *target, struct recipe_layers *out, struct error **err)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;

        if (has_layers(engine, target) && ensure(context, engine, record, target, &layers, err) < 0)
                return -1;
        *out = layers;
        layers = (struct recipe_layers)RECIPE_LAYERS_INIT;
        return 0;
}

int recipe_layers_find(const struct engine *engine, const struct target *target, const char *user, struct strv *keys, bool *top,
                       struct error **err)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(freep) char *programs = NULL;
        _cleanup_(freep) char *below = NULL;
        int there;

        *top = false;
        if (!has_layers(engine, target))
                return 0;
        if (recipe_view_read(target, &recipe, err) < 0)
                return -1;
        programs = hash_programs(err);
        if (!programs)
                return -1;
        there = find_ground(
                &(struct ground){ .engine = engine, .user = user, .part = lowest_part(&recipe), .programs = programs }, &below,
                err);
        if (there <= 0)
                return there;
        strv_add(keys, below);
        for (size_t p = 0; p < recipe.part_count; p++) {
                if (!recipe_apply_has_work(&recipe.parts[p]))
                        continue;
                set_string(&below, key_of(engine, below, &recipe.parts[p], programs));
                there = engine->has_layer(below, err);
                if (there <= 0)
                        return there;
                strv_add(keys, below);
        }
        *top = true;
        return 0;
}
