#include "operation/fork.h"

#include "command/command.h"
#include "command/result.h"
#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "operation/target.h"

struct fork_options {
        struct common_options common;
        const char *branch;
};

static const struct option options[] = {
        OPTION(struct fork_options, branch, "branch", 'b', OPTION_TEXT, "NAME",
               "make this branch in its first repo, and check it out"),
        COMMON_OPTIONS(struct fork_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct fork_options *given = invocation->options;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm source = VM_INIT;
        _cleanup_(vm_clear) struct vm fork = VM_INIT;
        int64_t started = now_ms();

        if (invocation->operands.count != 2) {
                error_set(err, ERROR_USAGE, "'machine fork' needs a VM and the name of the new one");
                return error_hint(err, "machine fork NAME NEW-NAME");
        }
        if (target_open_locked(&context->front, invocation->operands.items[0], &target, &source, err) < 0)
                return -1;
        interrupt_next("machine destroy %s", invocation->operands.items[1]);
        if (fork_vm(&context->front, &source, invocation->operands.items[1], given->branch, &fork, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = fork.name, .state = "running", .how = "forked", .started = started },
                     "VM '%s' begins where '%s' is: machine ssh %s", fork.name, source.name, fork.name);
        return 0;
}

const struct command command_fork = {
        .name = "fork",
        .operands = "NAME NEW-NAME",
        .summary = "make a second VM that begins where a running one is",
        .text = "The new VM has the disk and the memory of the first, and goes on from there; the first stands still for a moment. It has\n"
                "a name, keys and an identity of its own, none of the ports, and no files with secrets. Programs have what they had in\n"
                "their memory. It is a VM of its own: machine destroy removes it.",
        .options = options,
        .options_size = sizeof(struct fork_options),
        .operands_most = 2,
        .orderly = true,
        .run = run,
};
