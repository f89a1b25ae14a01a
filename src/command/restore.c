#include "command/command.h"
#include "command/result.h"
#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "operation/snapshot.h"
#include "operation/target.h"
#include "vm/vm.h"

struct restore_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct restore_options),
        { 0 },
};

static int choose(const struct vm *vm, const char *wanted, struct snapshots *snapshots, const struct engine_layer **out,
                  struct error **err)
{
        if (snapshots_find(vm, snapshots, err) < 0)
                return -1;
        *out = snapshots_choose(vm, snapshots, wanted, err);
        return *out ? 0 : -1;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(snapshots_clear) struct snapshots snapshots = SNAPSHOTS_INIT;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        const struct engine_layer *chosen;
        int64_t started = now_ms();

        if (invocation->operands.count != 2) {
                error_set(err, ERROR_USAGE, "'machine restore' needs a VM and the label of a snapshot");
                return error_hint(err, "machine snapshots NAME");
        }
        if (target_open_locked(&context->front, invocation_name(invocation), &target, &vm, err) < 0 ||
            choose(&vm, invocation->operands.items[1], &snapshots, &chosen, err) < 0)
                return -1;
        interrupt_next("machine up %s", vm.name);
        if (snapshot_restore(&context->front, &vm, chosen, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "running", .how = "restored", .started = started },
                     "VM '%s' is what it was at '%s'; what it was until now is a snapshot, too: machine snapshots %s", vm.name,
                     chosen->label, vm.name);
        return 0;
}

const struct command command_restore = {
        .name = "restore",
        .operands = "NAME LABEL",
        .summary = "make a VM what it was at a snapshot",
        .text = "Takes a snapshot of what it is now before. The guest goes on where it was, or boots if it didn't run or this computer was\n"
                "restarted since. Its connections have ended. What left the VM meanwhile, such as a push, is not undone.",
        .options = options,
        .options_size = sizeof(struct restore_options),
        .operands_most = 2,
        .orderly = true,
        .run = run,
};
