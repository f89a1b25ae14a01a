#include "command/command.h"
#include "command/remove.h"
#include "command/result.h"
#include "guest/repos.h"
#include "lib/deadline.h"
#include "operation/boundary.h"
#include "operation/engines.h"
#include "operation/target.h"
#include "operation/up.h"
#include "vm/vm.h"

static const struct option options[] = { REMOVE_OPTIONS, { 0 } };

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(freep) char *question = NULL, *engine = NULL, *why = NULL;
        const struct engine *chosen;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int64_t started = now_ms();
        struct up_result up;

        /* The configuration is read first: a VM that can't be made again is not removed. */
        if (up_open(&context->front, invocation_name(invocation), &target, &vm, err) < 0)
                return -1;
        engine = xstrdup(vm.exists && streq(target.project.engine, "auto") ? vm.record.engine : target.project.engine);
        question = xasprintf("Make VM '%s' again from scratch, losing everything in it?", target.name);
        if (engine_choose(engine, &chosen, &why, err) < 0 || boundary_check(&target.project, chosen, err) < 0 ||
            repos_check(&vm, &target.project, err) < 0)
                return -1;
        if (vm.exists && remove_vm(context, &vm, invocation->options, question, "rebuild", err) < 0)
                return -1;
        if (up_vm(&context->front, &vm, &target, engine, &up, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "running", .how = up.how, .started = started },
                     "VM '%s' is rebuilt: machine ssh %s", vm.name, vm.name);
        return 0;
}

const struct command command_rebuild = {
        .name = "rebuild",
        .operands = "[NAME]",
        .summary = "make a VM again from scratch",
        .text = "The same as destroy and up. Refuses (exit status 7) while there is something in the guest that is nowhere\n"
                "else.",
        .options = options,
        .options_size = sizeof(struct remove_options),
        .operands_most = 1,
        .orderly = true,
        .run = run,
};
