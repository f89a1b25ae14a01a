#include "operation/snapshot.h"
#include "command/command.h"
#include "command/result.h"
#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "operation/target.h"
#include "vm/vm.h"

struct snapshot_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct snapshot_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const char *label = invocation->operands.count > 1 ? invocation->operands.items[1] : NULL;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int64_t started = now_ms();

        if (target_open_locked(&context->front, invocation_name(invocation), &target, &vm, err) < 0)
                return -1;
        interrupt_next("machine snapshot %s", vm.name);
        if (snapshot_take(&context->front, &vm, label, false, NULL, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "taken", .started = started },
                     "VM '%s' has one snapshot more: machine snapshots %s", vm.name, vm.name);
        return 0;
}

const struct command command_snapshot = {
        .name = "snapshot",
        .operands = "[NAME [LABEL]]",
        .summary = "keep a VM as it is now, to go back to",
        .text = "Keeps its disk, and what is in its memory if it runs: the guest stands still for a moment and goes on, and its connections\n"
                "stay open. The memory is encrypted with a key that is gone after a restart of this computer; the disk stays. Without\n"
                "LABEL it is called by the time.",
        .options = options,
        .options_size = sizeof(struct snapshot_options),
        .operands_most = 2,
        .orderly = true,
        .run = run,
};
