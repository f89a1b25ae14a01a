/* `machine rename`: a VM that is there gets another name. */
#include "operation/rename.h"

#include "command/command.h"
#include "command/result.h"

struct rename_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct rename_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (invocation->operands.count != 2) {
                error_set(err, ERROR_USAGE, "'machine rename' needs a VM and its new name");
                return error_hint(err, "machine rename NAME NEW-NAME");
        }
        if (rename_vm(&context->front, invocation->operands.items[0], invocation->operands.items[1], &vm, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "stopped", .how = "renamed" },
                     "VM '%s' is now called '%s': machine up %s", invocation->operands.items[0], vm.name, vm.name);
        return 0;
}

const struct command command_rename = {
        .name = "rename",
        .operands = "NAME NEW-NAME",
        .summary = "give a stopped VM another name",
        .text = "Its guest is called so from its next start on. Changes nothing in projects.toml or a .machine.toml, and says what\n"
                "you have to change there.",
        .options = options,
        .options_size = sizeof(struct rename_options),
        .operands_most = 2,
        .run = run,
};
