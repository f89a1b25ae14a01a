#include "command/command.h"
#include "command/result.h"
#include "lib/text.h"
#include "operation/stock.h"
#include "show/layers.h"
#include "term/prompt.h"

struct prune_options {
        struct common_options common;
        bool all, yes, dry_run;
};

static const struct option options[] = {
        OPTION(struct prune_options, all, "all", 'a', OPTION_FLAG, NULL, "also remove what the next new VM would be made from"),
        OPTION(struct prune_options, dry_run, "dry-run", 'n', OPTION_FLAG, NULL,
               "print what would be removed and change nothing"),
        OPTION(struct prune_options, yes, "yes", 'y', OPTION_FLAG, NULL, "don't ask"),
        COMMON_OPTIONS(struct prune_options),
        { 0 },
};

static void show(struct context *context, const struct stock *stock, const struct prune *prune)
{
        json_t *array = json_array();

        output_settle(context->output);
        for (size_t i = 0; i < prune->count; i++) {
                const struct prune_step *step = &prune->steps[i];
                const struct engine_layer *layer = &stock->layers.items[step->layer];
                _cleanup_(freep) char *size = text_format_size(step->bytes);

                json_array_append_new(array, show_prune_step(stock, step));
                if (context->mode != OUTPUT_JSON)
                        printf("%.12s  %-10s %9s  %s%s: %s\n", layer->key, layer->kind, size, layer->about ? layer->about : "",
                               step->memory_only ? " (memory only)" : "", step->reason);
        }
        if (context->mode == OUTPUT_JSON)
                result_json(array);
        else
                json_decref(array);
}

static int confirm(const struct prune_options *given, int64_t bytes, struct error **err)
{
        _cleanup_(freep) char *size = text_format_size(bytes);
        _cleanup_(freep) char *question = xasprintf("Remove these, freeing %s?", size);
        int answer =
                given->yes ? 1 : prompt_yes(question, given->all ? "machine prune --all --yes" : "machine prune --yes", err);

        if (answer == 0)
                return error_set(err, ERROR_FAILED, "nothing was removed");
        return answer < 0 ? -1 : 0;
}

static void say_freed(struct context *context, int64_t freed)
{
        _cleanup_(freep) char *size = text_format_size(freed);

        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s, s:I}", "event", "result", "freed_bytes", (json_int_t)freed));
        else if (!context->quiet)
                fprintf(stderr, "freed %s\n", size);
}

static void note_builds(struct context *context, const struct engine_layers *layers)
{
        for (size_t i = 0; i < layers->count; i++)
                if (streq(layers->items[i].kind, "building"))
                        event_note(context->front.events, "layer '%.12s' is being built, and stays", layers->items[i].key);
}

static int prune_layers(struct context *context, const struct prune_options *given, int64_t *freed, struct error **err)
{
        _cleanup_(stock_clear) struct stock stock = STOCK_INIT;
        _cleanup_(prune_clear) struct prune prune = PRUNE_INIT;

        if (stock_take(&context->front, &stock, err) < 0)
                return -1;
        if (stock.unread) {
                error_give(err, TAKE_PTR(stock.unread));
                return error_wrap(err, "nothing is removed, because it isn't known what is needed");
        }
        note_builds(context, &stock.layers);
        prune_unused(&stock.layers, &stock.used, given->all, &prune);
        show(context, &stock, &prune);
        if (prune.count == 0 || given->dry_run)
                return 0;
        if (confirm(given, prune_bytes(&prune), err) < 0 ||
            stock_prune(&stock.layers, &prune, context->front.events, freed, err) < 0)
                return -1;
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct prune_options *given = invocation->options;
        int64_t freed = 0;

        if (prune_layers(context, given, &freed, err) < 0)
                return -1;
        if (!given->dry_run)
                say_freed(context, freed);
        return 0;
}

const struct command command_prune = {
        .name = "prune",
        .operands = "",
        .summary = "remove images, layers and warm templates that no VM needs",
        .text = "Never removes what a VM's disk stands on. Keeps what the next new VM would be made from, too, unless --all is\n"
                "given: then making that VM takes as long as making the first.",
        .options = options,
        .options_size = sizeof(struct prune_options),
        .operands_most = 0,
        .run = run,
};
