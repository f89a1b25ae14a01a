#include "command/result.h"
#include "command/stock.h"
#include "lib/text.h"
#include "term/table.h"

struct layers_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct layers_options),
        { 0 },
};

#define KEY_SHOWN 12

/* The VMs whose disks stand directly on it. */
static void find_owners(const struct stock *stock, const char *key, struct strv *out)
{
        for (size_t i = 0; i < stock->used.count; i++)
                if (streq(stock->used.items[i], key))
                        strv_add(out, stock->owners.items[i]);
}

static json_t *text_or_null(const char *text)
{
        return text ? json_string(text) : json_null();
}

static json_t *layer_json(const struct stock *stock, size_t i)
{
        const struct engine_layer *layer = &stock->layers.items[i];
        _cleanup_(strv_clear) struct strv owners = STRV_INIT;
        json_t *vms = json_array();
        json_t *value = json_object();

        find_owners(stock, layer->key, &owners);
        for (size_t j = 0; j < owners.count; j++)
                json_array_append_new(vms, json_string(owners.items[j]));
        json_object_set_new(value, "key", json_string(layer->key));
        json_object_set_new(value, "engine", text_or_null(layer->engine));
        json_object_set_new(value, "kind", json_string(layer->kind));
        json_object_set_new(value, "parent", text_or_null(layer->parent));
        json_object_set_new(value, "about", text_or_null(layer->about));
        json_object_set_new(value, "created", text_or_null(layer->created));
        json_object_set_new(value, "used", text_or_null(layer->used));
        json_object_set_new(value, "disk_bytes", json_integer(layer->disk_bytes));
        json_object_set_new(value, "memory_bytes", json_integer(layer->memory_bytes));
        json_object_set_new(value, "current", json_boolean(layer->current));
        json_object_set_new(value, "needed", json_boolean(prune_is_used(&stock->layers, i, &stock->used)));
        json_object_set_new(value, "vms", vms);
        return value;
}

static void layer_row(const struct stock *stock, size_t i, struct table *table)
{
        const struct engine_layer *layer = &stock->layers.items[i];
        _cleanup_(freep) char *key = xstrndup(layer->key, KEY_SHOWN);
        _cleanup_(freep) char *disk = text_format_size(layer->disk_bytes);
        _cleanup_(freep) char *memory = layer->memory_bytes > 0 ? text_format_size(layer->memory_bytes) : NULL;
        _cleanup_(strv_clear) struct strv owners = STRV_INIT;
        _cleanup_(freep) char *names = NULL;

        find_owners(stock, layer->key, &owners);
        names = owners.count > 0 ? strv_join(&owners, ",") : NULL;
        table_add(table, (const char *const[]){ key, layer->kind, layer->about, disk, memory, layer->used,
                                                layer->current ? "yes" : "no", names });
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        static const char *const headings[] = { "KEY", "KIND", "WHAT", "DISK", "MEMORY", "USED", "CURRENT", "VMS", NULL };
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(json_decrefp) json_t *array = json_array();
        _cleanup_(stock_clear) struct stock stock = STOCK_INIT;

        if (stock_take(context, &stock, err) < 0)
                return -1;
        for (size_t i = 0; i < stock.layers.count; i++) {
                json_array_append_new(array, layer_json(&stock, i));
                layer_row(&stock, i, table);
        }
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(json_incref(array));
        else if (stock.layers.count > 0)
                table_print(table, stdout);
        else if (!context->quiet)
                fputs("no layers yet: machine bake\n", stderr);
        return 0;
}

const struct command command_layers = {
        .name = "layers",
        .operands = "",
        .summary = "show the images, layers and warm templates that VMs are made from",
        .text = "DISK and MEMORY are what the host holds of each, USED is when something was last made from it, CURRENT says\n"
                "whether a new VM would be. VMS are those whose disks stand on it.",
        .options = options,
        .options_size = sizeof(struct layers_options),
        .operands_most = 0,
        .run = run,
};
