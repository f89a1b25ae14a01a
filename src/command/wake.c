/* `machine wake`: what machine-net's waker runs when something reaches for a parked guest, and a person may too. */
#include "command/command.h"
#include "command/result.h"
#include "lib/deadline.h"
#include "operation/running.h"
#include "vm/vm.h"

struct wake_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct wake_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const char *name = invocation_name(invocation);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int64_t started = now_ms();

        /* machine-net's waker names the VM, and isn't in the folder of its checkout. */
        if ((name ? running_open_by_name(&context->front, name, &vm, err) : running_open(&context->front, NULL, &vm, err)) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "running", .started = vm.woken ? started : 0 },
                     vm.woken ? "VM '%s' is awake" : "VM '%s' is running", vm.name);
        return 0;
}

const struct command command_wake = {
        .name = "wake",
        .operands = "[NAME]",
        .summary = "go on with a parked VM",
        .text = "Whatever needs a parked VM wakes it, so this is seldom needed. Starts a VM that is stopped.",
        .options = options,
        .options_size = sizeof(struct wake_options),
        .operands_most = 1,
        .run = run,
};
