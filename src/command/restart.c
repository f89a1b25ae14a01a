/*
 * `machine restart`: `down` and then `up` in one command, under one lock. A VM whose configuration is gone, or can't be used,
 * is started as it was.
 */
#include "command/command.h"
#include "command/result.h"
#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "operation/power.h"
#include "operation/target.h"
#include "operation/up.h"
#include "vm/vm.h"

struct restart_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct restart_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        struct up_result up = { .how = "started" };
        int64_t started = now_ms();

        /* The VM must be there: whoever wants to restart one doesn't expect a new one. */
        if (target_open_locked(&context->front, invocation_name(invocation), &target, &vm, err) < 0)
                return -1;
        interrupt_next("machine up %s", vm.name);
        if (power_stop(&context->front, &vm, NULL, err) < 0)
                return -1;
        target_warn(&context->front, &target, "it is started as it was");
        if (target.configured ? up_vm(&context->front, &vm, &target, vm.record.engine, &up, err) < 0
                              : power_start(&context->front, &vm, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "running", .how = up.how, .started = started },
                     "VM '%s' was restarted: machine ssh %s", vm.name, vm.name);
        return 0;
}

const struct command command_restart = {
        .name = "restart",
        .operands = "[NAME]",
        .summary = "stop a VM and start it again",
        .text = "The same as 'machine down' and 'machine up', for a VM that is there. Starts it too if it was stopped.",
        .options = options,
        .options_size = sizeof(struct restart_options),
        .operands_most = 1,
        .orderly = true,
        .run = run,
};
