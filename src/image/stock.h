/*
 * Finds, lists and removes the layers in the data folder. Base and recipe layers are the same for all engines. An engine that
 * has a further kind of its own describes it in a struct stock_kind.
 */
#pragma once

#include "image/layer.h"
#include "vm/engine.h"

struct stock_kind {
        const char *name; /* "template" */
        /* Sets about and memory_bytes, and `current` when it is `asked` for. */
        void (*describe)(const struct layer *layer, bool asked, struct engine_layer *item);
        /* Removes what a killed build of such a layer left elsewhere. */
        int (*tidy)(const char *folder, struct error **err);
        /* Returns 1, or 0 when somebody needs the memory. */
        int (*drop_memory)(const char *key, struct error **err);
};

/* For an engine's table (vm/engine.h). `kind` is NULL when the engine makes no kind of layer of its own. */
int stock_list(const char *user, const struct stock_kind *kind, struct engine_layers *out, struct error **err);
int stock_base(const char *user, const struct strv *packages, bool make, struct event_sink *events, char **key,
               struct error **err);
int stock_stands_on(const char *key, const char *below, struct error **err);
int stock_has(const char *key, struct error **err);
int stock_check(const char *key, bool read_all, struct error **err);
int stock_mend(const char *key, bool bad_content, struct event_sink *events, struct error **err);

#define STOCK_RECIPE "recipe"
/* The least virtual size of a recipe layer's disk, and of VMs' disks on it. Only what is written takes room on the host. */
#define STOCK_RECIPE_BYTES (INT64_C(16) << 30)
/*
 * Finds the layer of a filling, or builds it: `how` has the engine's build, became and tidy. If the layer's parent is a layer
 * too, nobody can remove it meanwhile. Puts the key into *key.
 */
int stock_fill(const struct engine_filling *wanted, const struct layer_builder *how, void *data, struct event_sink *events,
               char **key, struct error **err);
/* Puts what a filled layer lacks into its manifest, as "lacks". */
void stock_note_lacks(const struct engine_filled *filled, json_t *manifest);
int stock_remove(const char *key, const struct stock_kind *kind, bool memory_only, engine_in_use_fn in_use, void *data,
                 struct error **err);
