#include "command/command.h"
#include "command/result.h"
#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "operation/power.h"
#include "operation/repair.h"
#include "operation/target.h"
#include "vm/vm.h"

struct park_options {
        struct common_options common;
        bool if_idle;
};

static const struct option options[] = {
        OPTION(struct park_options, if_idle, "if-idle", 0, OPTION_FLAG, NULL,
               "only when it has been idle for as long as `park_after` says, and nobody works on it"),
        COMMON_OPTIONS(struct park_options),
        { 0 },
};

/* What machine-net's waker runs each minute. It looks at no project: a checkout may be anywhere. */
static int park_idle(struct context *context, const char *name, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int64_t started = now_ms();
        int64_t after;
        bool parked;

        if (!name)
                return error_set(err, ERROR_USAGE, "--if-idle needs the VM's name");
        if (vm_open_existing(&vm, name, err) < 0)
                return -1;
        after = vm_record_park_ms(&vm.record);
        if (after < 0)
                return 0;
        if (power_park_idle(&context->front, &vm, after, &parked, err) < 0)
                return -1;
        if (parked)
                result_print(context,
                             &(struct result){ .name = vm.name, .state = vm_state_name(VM_PARKED), .started = started },
                             "VM '%s' was idle and is parked", vm.name);
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        const struct park_options *given = invocation->options;
        int64_t started = now_ms();
        bool was_running;

        if (given->if_idle)
                return park_idle(context, invocation_name(invocation), err);
        if (target_existing(&context->front, invocation_name(invocation), &target, err) < 0 ||
            repair_open(&context->front, target.name, &vm, err) < 0)
                return -1;
        if (!vm.exists)
                return vm_open_existing(&vm, target.name, err);
        interrupt_next("machine park %s", vm.name);
        if (vm_lock(&vm, context->front.events, err) < 0 || power_park(&context->front, &vm, &was_running, err) < 0 ||
            vm_inspect(&vm, &status, err) < 0)
                return -1;
        result_print(context,
                     &(struct result){
                             .name = vm.name, .state = vm_state_name(status.state), .started = was_running ? started : 0 },
                     was_running                 ? "VM '%s' is parked: whatever needs it wakes it"
                     : status.state == VM_PARKED ? "VM '%s' is parked already"
                                                 : "VM '%s' was not running",
                     vm.name);
        return 0;
}

const struct command command_park = {
        .name = "park",
        .operands = "[NAME]",
        .summary = "free a VM's memory and processor until it is used again",
        .text = "Saves the guest with all that is in its memory, encrypted, and ends its process. Its connections and your sessions\n"
                "stay open. The next command, ssh, a byte in an open session or a connection to a port wakes it; it goes on where it\n"
                "was. The key is only in this login's memory: after a restart of this computer the VM boots from its disk.\n"
                "Succeeds if the VM doesn't run.",
        .options = options,
        .options_size = sizeof(struct park_options),
        .operands_most = 1,
        .orderly = true,
        .run = run,
};
