#include "operation/recipe-layers.h"

#include <unistd.h>

#include "guest/session.h"
#include "host/builds.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/interrupt.h"
#include "operation/engines.h"
#include "operation/recipe-apply.h"
#include "operation/recipe.h"
#include "operation/versions.h"

/* Raised when the same inputs would make a different layer. */
#define FORM "recipe layer 1"

void recipe_layers_clear(struct recipe_layers *layers)
{
        free(layers->key);
        free(layers->hash);
        strv_clear(&layers->lacks);
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

/* Returns the hash of the programs that run in the guest. Owned by the caller; NULL with an error. */
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

/* What the key of a part's layer is made of, besides its steps. Engines don't share disks. */
struct place {
        const struct engine *engine;
        const char *parent;   /* key of the layer below in the recipe's order */
        const char *programs; /* those that fill it: hash_programs() */
};

/* Returns the key of the part's layer that goes without `lacks`. Owned by the caller. */
static char *key_without(const struct place *place, const struct recipe_part *part, const struct strv *lacks)
{
        struct hash hash;

        hash_init(&hash);
        hash_add_text(&hash, FORM);
        hash_add_text(&hash, place->engine->name);
        hash_add_text(&hash, place->parent);
        recipe_part_add_to(part, lacks, &hash);
        hash_add_text(&hash, place->programs);
        return hash_hex(&hash);
}

/* The same for the whole layer. */
static char *key_of(const struct place *place, const struct recipe_part *part)
{
        return key_without(place, part, &(struct strv)STRV_INIT);
}

/* --- incomplete ones */

/*
 * Finds the layer that lacks least of the part's: one whose key is that of the part without what it lacks. So it is found, too,
 * when a step that failed has another hash by now. Returns 1 with its key in *key, owned by the caller; 0; or -1.
 */
static int find_incomplete(const struct place *place, const struct recipe_part *part, char **key, struct error **err)
{
        _cleanup_(engine_layers_clear) struct engine_layers layers = ENGINE_LAYERS_INIT;
        const struct engine_layer *best = NULL;

        if (!engine_of_layers())
                return 0;
        if (engine_of_layers()->layers(NULL, &layers, err) < 0)
                return -1;
        for (size_t i = 0; i < layers.count; i++) {
                const struct engine_layer *layer = &layers.items[i];
                _cleanup_(freep) char *wanted = layer->lacks.count > 0 ? key_without(place, part, &layer->lacks) : NULL;

                if (streq_ptr(wanted, layer->key) && (!best || layer->lacks.count < best->lacks.count))
                        best = layer;
        }
        if (!best)
                return 0;
        set_string(key, xstrdup(best->key));
        return 1;
}

static int add_lacks(const char *key, struct strv *lacks, struct error **err)
{
        _cleanup_(engine_layers_clear) struct engine_layers layers = ENGINE_LAYERS_INIT;

        if (!engine_of_layers())
                return 0;
        if (engine_of_layers()->layers(NULL, &layers, err) < 0)
                return -1;
        for (size_t i = 0; i < layers.count; i++)
                if (streq(layers.items[i].key, key))
                        strv_add_all(lacks, &layers.items[i].lacks);
        return 0;
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

/* Returns the part's name for people. Owned by the caller. */
static char *about(const struct recipe_part *part)
{
        return streq(part->name, RECIPE_BASE) ? xstrdup(part->name) : xasprintf("profile %s", part->name);
}

/* --- what they stand on */

/* Fewer packages are not worth their own image, which takes half a minute and a gigabyte. */
#define IMAGE_PACKAGES_LEAST 8

struct ground {
        struct front *front; /* NULL = make nothing */
        const struct engine *engine;
        const char *user;
        const struct recipe_part *part; /* the lowest part that has work; NULL = there is none */
        const char *programs;
};

/*
 * Adds the packages that the image itself can have: those of the recipe's base. When root makes the image, their scripts run as
 * root of this computer, so then a checkout has no say in it.
 */
static void image_packages(const struct recipe_part *part, struct strv *out)
{
        if (part && streq(part->name, RECIPE_BASE) && (geteuid() != 0 || !streq(part->origin, "checkout")))
                recipe_debian_packages(part, out);
}

static bool wants_wide(const struct recipe_part *part)
{
        _cleanup_(strv_clear) struct strv packages = STRV_INIT;

        image_packages(part, &packages);
        return packages.count >= IMAGE_PACKAGES_LEAST;
}

/* Returns 1 when the part has a layer on the plain image, made when or where there was no image with the packages. */
static int find_on_plain(const struct ground *ground, char **base, struct error **err)
{
        struct place place = { .engine = ground->engine, .programs = ground->programs };
        _cleanup_(freep) char *plain = NULL;
        _cleanup_(freep) char *layer = NULL;
        int there = ground->engine->base_layer(ground->user, NULL, false, NULL, &plain, err);

        if (there <= 0)
                return there;
        place.parent = plain;
        layer = key_of(&place, ground->part);
        there = ground->engine->has_layer(layer, err);
        if (there == 0)
                there = find_incomplete(&place, ground->part, &layer, err);
        if (there > 0)
                *base = TAKE_PTR(plain);
        return there;
}

/* Makes the image with the recipe's packages. Returns 0, with a warning, when it can't be made. */
static int make_wide(const struct ground *ground, const struct strv *packages, char **base)
{
        struct event_sink *events = ground->front->events;
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(freep) char *text = NULL;
        int there = ground->engine->base_layer(ground->user, packages, true, events, base, &reason);

        if (there >= 0)
                return there;
        text = error_text(reason);
        event_warning(events, "couldn't pre-build the image; packages will be installed in the VM, which is slower: %s%s%s",
                      text, reason->hint ? "; " : "", reason->hint ? reason->hint : "");
        return 0;
}

/* Finds the image that the recipe's layers stand on. Returns 1; 0 when it isn't there and must not be made; or -1. */
static int find_ground(const struct ground *ground, char **base, struct error **err)
{
        _cleanup_(strv_clear) struct strv packages = STRV_INIT;
        int there = 0;

        image_packages(ground->part, &packages);
        if (packages.count >= IMAGE_PACKAGES_LEAST) {
                there = ground->engine->base_layer(ground->user, &packages, false, NULL, base, err);
                if (there == 0)
                        there = find_on_plain(ground, base, err);
                if (there == 0 && ground->front)
                        there = make_wide(ground, &packages, base);
                if (interrupt_check(err) < 0)
                        return -1;
        }
        return there != 0 ? there
                          : ground->engine->base_layer(ground->user, NULL, ground->front != NULL,
                                                       ground->front ? ground->front->events : NULL, base, err);
}

/* --- making them */

struct part_filling {
        struct front *front;
        struct place place;
        const struct target *target;
        struct recipe *recipe;
        size_t part;
};

static int fill(const struct vm *vm, void *data, struct event_sink *events _unused_, struct engine_filled *out,
                struct error **err)
{
        struct part_filling *filling = data;
        const struct recipe_part *part;
        int status = recipe_apply_part(filling->front, vm, filling->target, filling->recipe, filling->part,
                                       RECIPE_VERSIONS_RECORDED, &out->lacks, err);

        session_close(vm);
        if (status < 0 || versions_remember(filling->target, filling->part, err) < 0)
                return -1;
        part = &filling->recipe->parts[filling->part];
        out->key = key_without(&filling->place, part, &out->lacks);
        return 0;
}

static int ensure_part(const struct vm_record *record, struct part_filling *filling, char **layer, struct strv *lacks,
                       struct error **err)
{
        const struct recipe_part *part = &filling->recipe->parts[filling->part];
        _cleanup_(freep) char *name = about(part);
        const struct engine *engine = filling->place.engine;
        _cleanup_(freep) char *below = xstrdup(*layer);
        _cleanup_(freep) char *wanted = NULL;
        _cleanup_(freep) char *made = NULL;

        filling->place.parent = *layer;
        wanted = key_of(&filling->place, part);
        if (engine->has_layer(wanted, NULL) == 0 && find_incomplete(&filling->place, part, &below, err) < 0)
                return -1;
        if (engine->fill_layer(
                    &(struct engine_filling){
                            .parent = below, .key = wanted, .about = name, .record = record, .fill = fill, .data = filling },
                    filling->front->events, &made, err) < 0 ||
            (!streq(made, wanted) && add_lacks(made, lacks, err) < 0))
                return -1;
        set_string(layer, TAKE_PTR(made));
        return 0;
}

static int ensure(struct front *front, const struct engine *engine, const struct vm_record *record, const struct target *target,
                  struct recipe_layers *out, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        struct part_filling filling = { .front = front, .place = { .engine = engine }, .target = target, .recipe = &recipe };
        _cleanup_(freep) char *programs = NULL;
        _cleanup_(freep) char *layer = NULL;

        if (versions_adopt(front, target, err) < 0 || recipe_resolved(target, &recipe, err) < 0)
                return -1;
        if (!recipe_has_steps(&recipe))
                return 0;
        filling.place.programs = programs = hash_programs(err);
        if (!programs || find_ground(&(struct ground){ .front = front,
                                                       .engine = engine,
                                                       .user = record->user,
                                                       .part = lowest_part(&recipe),
                                                       .programs = programs },
                                     &layer, err) < 0)
                return -1;
        for (filling.part = 0; filling.part < recipe.part_count; filling.part++)
                if (recipe_apply_has_work(&recipe.parts[filling.part]) &&
                    ensure_part(record, &filling, &layer, &out->lacks, err) < 0)
                        return -1;
        out->key = TAKE_PTR(layer);
        out->hash = recipe_hash(&recipe);
        return 0;
}

int recipe_layers_ensure(struct front *front, const struct engine *engine, const struct vm_record *record,
                         const struct target *target, struct recipe_layers *out, struct error **err)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;

        if (has_layers(engine, target) && ensure(front, engine, record, target, &layers, err) < 0)
                return -1;
        *out = layers;
        layers = (struct recipe_layers)RECIPE_LAYERS_INIT;
        return 0;
}

/* --- looking for them */

/* Looks from `below` up to the first layer that isn't there. The rest is missing. */
static int look_for_parts(const struct ground *ground, const struct recipe *recipe, char **below,
                          struct recipe_layers_found *out, struct error **err)
{
        int there = 1;

        for (size_t p = 0; p < recipe->part_count; p++) {
                const struct recipe_part *part = &recipe->parts[p];
                struct place place = { .engine = ground->engine, .programs = ground->programs };
                _cleanup_(freep) char *name = about(part);
                _cleanup_(freep) char *parent = NULL;
                int incomplete = 0;

                if (!recipe_apply_has_work(part))
                        continue;
                if (there > 0) {
                        parent = TAKE_PTR(*below);
                        place.parent = parent;
                        *below = key_of(&place, part);
                        there = ground->engine->has_layer(*below, err);
                        incomplete = there == 0 ? find_incomplete(&place, part, below, err) : 0;
                        if (there < 0 || incomplete < 0)
                                return -1;
                        there |= incomplete;
                }
                if (incomplete > 0)
                        strv_addf(&out->missing, "the rest of %s", name);
                if (there > 0)
                        strv_add(&out->keys, *below);
                strv_take(there > 0 ? &out->names : &out->missing, TAKE_PTR(name));
        }
        return 0;
}

int recipe_layers_find(const struct engine *engine, const struct target *target, const char *user,
                       struct recipe_layers_found *out, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        struct ground ground = { .engine = engine, .user = user };
        _cleanup_(freep) char *programs = NULL;
        _cleanup_(freep) char *below = NULL;
        int there;

        if (!has_layers(engine, target))
                return 0;
        if (recipe_resolved(target, &recipe, err) < 0)
                return -1;
        ground.programs = programs = hash_programs(err);
        ground.part = lowest_part(&recipe);
        there = programs ? find_ground(&ground, &below, err) : -1;
        if (there < 0)
                return -1;
        if (there > 0) {
                strv_add(&out->keys, below);
                strv_add(&out->names, BUILD_IMAGE);
                return look_for_parts(&ground, &recipe, &below, out, err);
        }
        strv_add(&out->missing, BUILD_IMAGE);
        out->wide = wants_wide(ground.part);
        for (size_t p = 0; p < recipe.part_count; p++)
                if (recipe_apply_has_work(&recipe.parts[p]))
                        strv_take(&out->missing, about(&recipe.parts[p]));
        return 0;
}

void recipe_layers_found_clear(struct recipe_layers_found *found)
{
        strv_clear(&found->keys);
        strv_clear(&found->names);
        strv_clear(&found->missing);
}
