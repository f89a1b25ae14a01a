#include "command/command.h"
#include "command/result.h"
#include "operation/power.h"
#include "operation/repair.h"
#include "operation/target.h"
#include "vm/vm.h"

struct down_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct down_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        bool was_running = false;

        if (target_existing(&context->front, invocation_name(invocation), &target, err) < 0 ||
            repair_open(&context->front, target.name, &vm, err) < 0)
                return -1;
        if (vm.exists && vm_lock(&vm, context->front.events, err) < 0)
                return -1;
        if (vm.exists && power_stop(&context->front, &vm, &was_running, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = target.name, .state = vm.exists ? "stopped" : "absent" }, "VM '%s' %s",
                     target.name, was_running ? "is stopped" : "was not running");
        return 0;
}

const struct command command_down = {
        .name = "down",
        .operands = "[NAME]",
        .summary = "stop a VM",
        .text = "Asks the guest to shut down, and ends the VM if nothing happens for a minute. Refuses while the host's disk is full.\n"
                "Succeeds if the VM doesn't run.",
        .options = options,
        .options_size = sizeof(struct down_options),
        .operands_most = 1,
        .run = run,
};
