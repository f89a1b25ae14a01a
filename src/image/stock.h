/*
 * The layers that lie in the data folder: found, listed, removed. What is a base's or a recipe's layer's is the same for all
 * engines; a kind that only one engine has, it knows by itself.
 */
#pragma once

#include "image/layer.h"
#include "vm/engine.h"

struct stock_kind {
        const char *name; /* "template" */
        /* Sets about and memory_bytes, and `current` where it is asked for. */
        void (*describe)(const struct layer *layer, bool asked, struct engine_layer *item);
        /* Removes what a killed build of one left elsewhere. */
        int (*tidy)(const char *folder, struct error **err);
        int (*drop_memory)(const char *key, struct error **err);
};

/* For an engine's table (vm/engine.h). `kind` NULL = it has none of its own. */
int stock_list(const char *user, const struct stock_kind *kind, struct engine_layers *out, struct error **err);
int stock_base(const char *user, const struct strv *packages, bool make, struct event_sink *events, char **key,
               struct error **err);
int stock_stands_on(const char *key, const char *below, struct error **err);
int stock_has(const char *key, struct error **err);
/*
 * The layer of a filling, as an engine builds it: `how` has its build, became and tidy, and holds what it stands on meanwhile,
 * where that is a layer. Its key into *key.
 */
#define STOCK_RECIPE "recipe"
/* Virtual size of its disk, at least: what is written takes room on the host. VMs on it have as much. */
#define STOCK_RECIPE_BYTES (INT64_C(16) << 30)
int stock_fill(const struct engine_filling *wanted, const struct layer_builder *how, void *data, struct event_sink *events,
               char **key, struct error **err);
int stock_remove(const char *key, const struct stock_kind *kind, bool memory_only, engine_in_use_fn in_use, void *data,
                 struct error **err);
