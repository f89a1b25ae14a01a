#include "show/layers.h"
#include "command/command.h"
#include "command/result.h"
#include "lib/text.h"
#include "operation/stock.h"

struct layers_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct layers_options),
        { 0 },
};

#define KEY_SHOWN 12

static void layer_row(const struct stock *stock, size_t i, struct table *table)
{
        const struct engine_layer *layer = &stock->layers.items[i];
        _cleanup_(freep) char *key = xstrndup(layer->key, KEY_SHOWN);
        _cleanup_(freep) char *disk = text_format_size(layer->disk_bytes);
        _cleanup_(freep) char *memory = layer->memory_bytes > 0 ? text_format_size(layer->memory_bytes) : NULL;
        _cleanup_(strv_clear) struct strv owners = STRV_INIT;
        _cleanup_(freep) char *used = layer->used ? text_local_time(layer->used) : NULL;
        _cleanup_(freep) char *names = NULL;

        stock_owners(stock, layer->key, &owners);
        names = owners.count > 0 ? strv_join(&owners, ",") : NULL;
        table_add(table, (const char *const[]){ key, layer->kind, layer->about, disk, memory, used,
                                                layer->current ? "yes" : "no", names });
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        static const char *const headings[] = { "KEY", "KIND", "WHAT", "DISK", "MEMORY", "USED", "CURRENT", "VMS", NULL };
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(stock_clear) struct stock stock = STOCK_INIT;
        json_t *array;

        if (stock_take(&context->front, &stock, err) < 0)
                return -1;
        stock_warn_unread(&stock, context->front.events);
        array = json_array();
        for (size_t i = 0; i < stock.layers.count; i++) {
                json_array_append_new(array, show_layer(&stock, i));
                layer_row(&stock, i, table);
        }
        result_list(context, array, table, "no layers yet: machine bake");
        return 0;
}

const struct command command_layers = {
        .name = "layers",
        .operands = "",
        .summary = "show the images, layers and warm templates that VMs are made from",
        .text = "DISK and MEMORY are what each takes on the host. USED is when something was last made from it, CURRENT whether a\n"
                "new VM would be. VMS are the VMs whose disks stand on it.",
        .options = options,
        .options_size = sizeof(struct layers_options),
        .operands_most = 0,
        .run = run,
};
