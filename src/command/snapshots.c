#include "command/command.h"
#include "command/result.h"
#include "lib/text.h"
#include "operation/snapshot.h"
#include "operation/target.h"
#include "show/layers.h"
#include "vm/vm.h"

struct snapshots_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct snapshots_options),
        { 0 },
};

#define KEY_SHOWN 12

static void add_row(const struct engine_layer *snapshot, struct table *table)
{
        _cleanup_(freep) char *created = text_local_time(snapshot->created);
        _cleanup_(freep) char *size = text_format_size(snapshot->disk_bytes);
        _cleanup_(freep) char *key = xstrndup(snapshot->key, KEY_SHOWN);
        _cleanup_(freep) char *label = text_visible_dup(snapshot->label);

        table_add(table, (const char *const[]){ label, created, size, snapshot->with_memory ? "yes" : "no",
                                                snapshot->automatic ? "machine" : "you", key });
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        static const char *const headings[] = { "LABEL", "TAKEN", "DISK", "MEMORY", "BY", "KEY", NULL };
        _cleanup_(snapshots_clear) struct snapshots snapshots = SNAPSHOTS_INIT;
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        json_t *array;

        if (target_existing(&context->front, invocation_name(invocation), &target, err) < 0 ||
            vm_open_existing(&vm, target.name, err) < 0 || snapshots_find(&vm, &snapshots, err) < 0)
                return -1;
        array = json_array();
        for (size_t i = 0; i < snapshots.count; i++) {
                json_array_append_new(array, show_snapshot(snapshots.items[i]));
                add_row(snapshots.items[i], table);
        }
        result_list(context, array, table, "VM '%s' has no snapshots yet: machine snapshot %s", vm.name, vm.name);
        return 0;
}

const struct command command_snapshots = {
        .name = "snapshots",
        .operands = "[NAME]",
        .summary = "show the snapshots of a VM",
        .text = "MEMORY is whether the guest goes on where it was, or boots. BY is who asked for it: you, or machine before it changed\n"
                "the VM. Where two have the same label, the beginning of its KEY names one.",
        .options = options,
        .options_size = sizeof(struct snapshots_options),
        .operands_most = 1,
        .orderly = false,
        .run = run,
};
