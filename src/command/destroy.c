#include "command/command.h"
#include "command/remove.h"
#include "command/result.h"
#include "operation/repair.h"
#include "operation/target.h"
#include "vm/vm.h"

static const struct option options[] = { REMOVE_OPTIONS, { 0 } };

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *question = NULL;

        if (target_existing(&context->front, invocation_name(invocation), &target, err) < 0 ||
            repair_open(&context->front, target.name, &vm, err) < 0)
                return -1;
        /* Says that there is none. */
        if (!vm.exists && vm_open_existing(&vm, target.name, err) < 0)
                return -1;
        if (vm_lock(&vm, context->front.events, err) < 0)
                return -1;
        if (!vm.exists)
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' was removed by another process", target.name);
        question = xasprintf("Remove VM '%s' and everything in it?", target.name);
        if (remove_vm(context, &vm, invocation->options, question, "destroy", err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = target.name, .state = "absent" }, "VM '%s' is gone", target.name);
        return 0;
}

const struct command command_destroy = {
        .name = "destroy",
        .operands = "[NAME]",
        .summary = "remove a VM and everything in it",
        .text = "Asks first. Refuses (exit status 7) while there is something in the guest that is nowhere else.",
        .options = options,
        .options_size = sizeof(struct remove_options),
        .operands_most = 1,
        .orderly = true,
        .run = run,
};
