/*
 * A project's recipe as layers: the base image, on it a layer for the recipe's base, on that one for each profile in order. A
 * layer's key is the hash of the layer below, of its part's steps as machine.lock has them, and of the programs in guest/ that
 * make it; so stacks that begin alike share their beginning. A part without steps that apply has none. Nor has a project with
 * an image of its own, or an engine without layers: there each VM runs its recipe by itself.
 */
#pragma once

#include "command/command.h"
#include "command/target.h"
#include "vm/vm.h"

struct recipe_layers {
        char *key;  /* of the topmost; NULL = there are none */
        char *hash; /* recipe_hash() of what is in it */
};

#define RECIPE_LAYERS_INIT                                                                                                     \
        {                                                                                                                      \
                0                                                                                                              \
        }
void recipe_layers_clear(struct recipe_layers *layers);

/*
 * Makes what is missing, in VMs of `record`'s size, with progress. A step that fails is
 * ERROR_STEP, and the next call goes on from it. Resolved versions go into machine.lock.
 */
int recipe_layers_ensure(struct context *context, const struct engine *engine, const struct vm_record *record,
                         const struct target *target, struct recipe_layers *out, struct error **err);
/*
 * Appends the keys of those that are there for a new VM of the project, from the base image up; nothing is made. *top: is the
 * last one what the VM would be made from? Otherwise there are more to make.
 */
int recipe_layers_find(const struct engine *engine, const struct target *target, const char *user, struct strv *keys, bool *top,
                       struct error **err);
