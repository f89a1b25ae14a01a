#include "command/command.h"
#include "command/result.h"
#include "lib/text.h"
#include "operation/space.h"
#include "show/space.h"

struct du_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct du_options),
        { 0 },
};

#define KEY_SHOWN 12

/* "disk 3.2 GiB of 30 GiB, logs 1.2 MiB, other 40 KiB" */
static char *vm_text(const struct space_vm *vm)
{
        const struct vm_record *record = vm->entry->vm.exists ? &vm->entry->vm.record : NULL;
        _cleanup_(freep) char *disk = text_format_size(vm->disk_bytes);
        _cleanup_(freep) char *most = record ? text_format_size(record->disk_bytes) : NULL;
        _cleanup_(freep) char *logs = text_format_size(vm->log_bytes);
        int64_t rest = vm->bytes - vm->disk_bytes - vm->log_bytes;
        _cleanup_(freep) char *other = text_format_size(rest);
        _cleanup_(strv_clear) struct strv parts = STRV_INIT;

        if (!record)
                return xstrdup("its record can't be read");
        strv_addf(&parts, "disk %s of %s", disk, most);
        if (vm->log_bytes > 0)
                strv_addf(&parts, "logs %s", logs);
        if (rest > 0)
                strv_addf(&parts, "other %s", other);
        return strv_join(&parts, ", ");
}

static void add_count(struct strv *parts, size_t count, const char *what)
{
        if (count > 0)
                strv_addf(parts, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

/* "3 VMs and 2 layers stand on it" */
static char *standing_text(const struct space *space, const struct space_layer *layer)
{
        _cleanup_(strv_clear) struct strv parts = STRV_INIT;
        _cleanup_(freep) char *joined = NULL;

        if (space->stock.unread)
                return xstrdup("it isn't known what stands on it");
        add_count(&parts, layer->vms, "VM");
        add_count(&parts, layer->layers, "layer");
        if (parts.count == 0)
                return xstrdup("nothing stands on it");
        joined = strv_join(&parts, " and ");
        return xasprintf("%s %s on it", joined, layer->vms + layer->layers == 1 ? "stands" : "stand");
}

/* "2 cpus, 2.0 GiB, kvm; memory 390 MiB; 1 VM stands on it" */
static char *layer_text(const struct space *space, const struct space_layer *at)
{
        const struct engine_layer *layer = &space->stock.layers.items[at->layer];
        _cleanup_(freep) char *memory = text_format_size(layer->memory_bytes);
        _cleanup_(strv_clear) struct strv parts = STRV_INIT;

        if (layer->about)
                strv_add(&parts, layer->about);
        if (layer->memory_bytes > 0)
                strv_addf(&parts, "memory %s", memory);
        strv_take(&parts, standing_text(space, at));
        return strv_join(&parts, "; ");
}

static void add_row(struct table *table, const char *what, const char *name, int64_t bytes, const char *holds,
                    const char *removed_by)
{
        _cleanup_(freep) char *size = text_format_size(bytes);

        table_add(table, (const char *const[]){ what, name, size, holds, removed_by });
}

static void fill_table(const struct space *space, struct table *table)
{
        for (size_t i = 0; i < space->vm_count; i++) {
                _cleanup_(freep) char *holds = vm_text(&space->vms[i]);

                add_row(table, "VM", space->vms[i].entry->name, space->vms[i].bytes, holds, space->vms[i].removed_by);
        }
        for (size_t i = 0; i < space->layer_count; i++) {
                const struct engine_layer *layer = &space->stock.layers.items[space->layers[i].layer];
                _cleanup_(freep) char *key = xstrndup(layer->key, KEY_SHOWN);
                _cleanup_(freep) char *holds = layer_text(space, &space->layers[i]);

                add_row(table, layer->kind, key, space->layers[i].bytes, holds, space->layers[i].removed_by);
        }
        for (size_t i = 0; i < space->place_count; i++) {
                const struct space_place *place = &space->places[i];

                add_row(table, place->what, NULL, place->bytes, place->about, place->removed_by);
        }
}

static void print_sum(const char *what, int64_t bytes)
{
        _cleanup_(freep) char *size = text_format_size(bytes);

        printf("%s %s\n", what, size);
}

static void print_sums(const struct space *space)
{
        putchar('\n');
        print_sum("in all:", space->total_bytes);
        if (space->prune_bytes < 0)
                return;
        print_sum("machine prune would free", space->prune_bytes);
        print_sum("machine prune --all would free", space->prune_all_bytes);
}

static void print_text(const struct context *context, const struct space *space)
{
        static const char *const headings[] = { "WHAT", "NAME", "SIZE", "HOLDS", "REMOVED BY", NULL };
        _cleanup_(table_freep) struct table *table = table_new(headings);

        if (space->total_bytes == 0) {
                if (!context->quiet)
                        fputs("nothing takes room yet: machine up\n", stderr);
                return;
        }
        fill_table(space, table);
        table_print(table, stdout);
        print_sums(space);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(space_clear) struct space space = SPACE_INIT;

        if (space_take(&context->front, &invocation->operands, &space, err) < 0)
                return -1;
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(show_space(&space));
        else
                print_text(context, &space);
        return 0;
}

const struct command command_du = {
        .name = "du",
        .operands = "[NAME…]",
        .summary = "show what takes room on this computer, and what removes it",
        .text = "SIZE is what each takes on the host's disk. A file that has several names counts once; files that share blocks\n"
                "(reflinks) count in full each. With NAME… it shows only these VMs. Changes nothing, and starts no VM.",
        .options = options,
        .options_size = sizeof(struct du_options),
        .operands_most = SIZE_MAX,
        .run = run,
};
