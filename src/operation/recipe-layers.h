/*
 * A project's recipe as layers: the base image, on it a layer for the recipe's base, on that one for each profile in order. A
 * layer's key is the hash of the layer below, of its part's steps as machine.lock has them, and of the programs in guest/ that
 * make it, so stacks that begin alike share their beginning. A part without steps that apply has no layer. There are no layers
 * for a project with an image of its own, or with an engine that can't make them: each VM then runs its recipe by itself.
 *
 * A layer in which an optional step failed is incomplete, and has a key of its own: the hash has the steps that are in it, and
 * the names of those that failed. So it is never taken for the whole one. Its manifest has what it lacks; with that, its key
 * can be told from a recipe, and the next VM's layers begin with it. Only the missing steps then run, in a layer on the
 * incomplete one; if they succeed, that is the whole layer.
 */
#pragma once

#include "operation/front.h"
#include "operation/target.h"
#include "vm/vm.h"

struct recipe_layers {
        char *key;         /* of the topmost layer; NULL = there are none */
        char *hash;        /* recipe_hash() of what is in the layers */
        struct strv lacks; /* what they lack of that (config/recipe-lack.h) */
};

#define RECIPE_LAYERS_INIT                                                                                                     \
        {                                                                                                                      \
                .lacks = STRV_INIT                                                                                             \
        }
void recipe_layers_clear(struct recipe_layers *layers);

/*
 * Makes what is missing, in VMs of `record`'s size, with progress. Fails with ERROR_STEP when a step does, and the next call
 * goes on from there. Resolved versions go into machine.lock.
 */
int recipe_layers_ensure(struct front *front, const struct engine *engine, const struct vm_record *record,
                         const struct target *target, struct recipe_layers *out, struct error **err);
struct recipe_layers_found {
        struct strv keys;    /* of the layers there are for a new VM of the project, incomplete ones too, from the image up */
        struct strv names;   /* what each of these is, in the words of `missing` */
        struct strv missing; /* what would be made first: "image", "base", "profile node", "the rest of base" */
        bool wide;           /* the image that is missing would have the recipe's packages */
};

#define RECIPE_LAYERS_FOUND_INIT                                                                                               \
        {                                                                                                                      \
                .keys = STRV_INIT, .names = STRV_INIT, .missing = STRV_INIT                                                    \
        }
void recipe_layers_found_clear(struct recipe_layers_found *found);

/* Finds which of the layers exist, and makes nothing. The lists are empty when the engine or project has no layers. */
int recipe_layers_find(const struct engine *engine, const struct target *target, const char *user,
                       struct recipe_layers_found *out, struct error **err);
