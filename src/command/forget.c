#include "command/command.h"
#include "command/result.h"
#include "operation/snapshot.h"
#include "operation/target.h"
#include "vm/vm.h"

struct forget_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct forget_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(snapshots_clear) struct snapshots snapshots = SNAPSHOTS_INIT;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        const struct engine_layer *chosen;

        if (invocation->operands.count != 2) {
                error_set(err, ERROR_USAGE, "'machine forget' needs a VM and the label of a snapshot");
                return error_hint(err, "machine snapshots NAME");
        }
        if (target_open_locked(&context->front, invocation_name(invocation), &target, &vm, err) < 0 ||
            snapshots_find(&vm, &snapshots, err) < 0)
                return -1;
        chosen = snapshots_choose(&vm, &snapshots, invocation->operands.items[1], err);
        if (!chosen || snapshot_drop(&vm, chosen, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "forgotten" }, "snapshot '%s' of VM '%s' is gone",
                     chosen->label, vm.name);
        return 0;
}

const struct command command_forget = {
        .name = "forget",
        .operands = "NAME LABEL",
        .summary = "drop a snapshot",
        .text = "Its memory goes at once. Its disk goes when nothing stands on it any more: the VM itself may, or a later snapshot.",
        .options = options,
        .options_size = sizeof(struct forget_options),
        .operands_most = 2,
        .orderly = false,
        .run = run,
};
