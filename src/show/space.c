#include "show/space.h"

static json_t *vms_json(const struct space *space)
{
        json_t *array = json_array();

        for (size_t i = 0; i < space->vm_count; i++) {
                const struct space_vm *vm = &space->vms[i];
                const struct vm_record *record = vm->entry->vm.exists ? &vm->entry->vm.record : NULL;

                json_array_append_new(array,
                                      json_pack("{s:s, s:s?, s:I, s:I, s:I, s:I, s:s}", "name", vm->entry->name, "engine",
                                                record ? record->engine : NULL, "bytes", (json_int_t)vm->bytes,
                                                "disk_used_bytes", (json_int_t)vm->disk_bytes, "log_bytes",
                                                (json_int_t)vm->log_bytes, "disk_bytes",
                                                (json_int_t)(record ? record->disk_bytes : 0), "removed_by", vm->removed_by));
        }
        return array;
}

static json_t *layers_json(const struct space *space)
{
        json_t *array = json_array();

        for (size_t i = 0; i < space->layer_count; i++) {
                const struct space_layer *at = &space->layers[i];
                const struct engine_layer *layer = &space->stock.layers.items[at->layer];
                bool known = !space->stock.unread;

                json_array_append_new(array, json_pack("{s:s, s:s, s:s?, s:I, s:I, s:o, s:I, s:s?}", "key", layer->key, "kind",
                                                       layer->kind, "about", layer->about, "bytes", (json_int_t)at->bytes,
                                                       "memory_bytes", (json_int_t)layer->memory_bytes, "vms",
                                                       known ? json_integer((json_int_t)at->vms) : json_null(), "layers",
                                                       (json_int_t)at->layers, "removed_by", at->removed_by));
        }
        return array;
}

static json_t *places_json(const struct space *space)
{
        json_t *array = json_array();

        for (size_t i = 0; i < space->place_count; i++) {
                const struct space_place *place = &space->places[i];

                json_array_append_new(array, json_pack("{s:s, s:s?, s:I, s:s?}", "what", place->what, "path", place->path,
                                                       "bytes", (json_int_t)place->bytes, "removed_by", place->removed_by));
        }
        return array;
}

/* null = it isn't known, or wasn't asked for. */
static json_t *bytes_json(int64_t bytes)
{
        return bytes < 0 ? json_null() : json_integer((json_int_t)bytes);
}

json_t *show_space(const struct space *space)
{
        return json_pack("{s:o, s:o, s:o, s:I, s:o, s:o}", "vms", vms_json(space), "layers", layers_json(space), "other",
                         places_json(space), "total_bytes", (json_int_t)space->total_bytes, "prune_bytes",
                         bytes_json(space->prune_bytes), "prune_all_bytes", bytes_json(space->prune_all_bytes));
}
