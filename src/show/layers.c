#include "show/layers.h"

#include "show/recipe.h"

json_t *show_layer(const struct stock *stock, size_t i)
{
        const struct engine_layer *layer = &stock->layers.items[i];
        _cleanup_(strv_clear) struct strv owners = STRV_INIT;

        stock_owners(stock, layer->key, &owners);
        return json_pack("{s:s, s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:b, s:b, s:o, s:o}", "key", layer->key, "engine",
                         layer->engine, "kind", layer->kind, "parent", layer->parent, "about", layer->about, "created",
                         layer->created, "used", layer->used, "disk_bytes", (json_int_t)layer->disk_bytes, "memory_bytes",
                         (json_int_t)layer->memory_bytes, "current", layer->current, "needed",
                         prune_is_used(&stock->layers, i, &stock->used), "lacks", show_lacks(&layer->lacks), "vms",
                         json_strings(&owners));
}

json_t *show_prune_step(const struct stock *stock, const struct prune_step *step)
{
        const struct engine_layer *layer = &stock->layers.items[step->layer];

        return json_pack("{s:s, s:s, s:b, s:I, s:s}", "key", layer->key, "kind", layer->kind, "memory_only", step->memory_only,
                         "bytes", (json_int_t)step->bytes, "reason", step->reason);
}

json_t *show_snapshot(const struct engine_layer *snapshot)
{
        return json_pack("{s:s, s:s, s:s, s:I, s:b, s:b}", "label", snapshot->label, "key", snapshot->key, "created",
                         snapshot->created, "disk_bytes", (json_int_t)snapshot->disk_bytes, "memory", snapshot->with_memory,
                         "automatic", snapshot->automatic);
}
