#include "operation/up.h"
#include "command/command.h"
#include "command/dry-run.h"
#include "command/result.h"
#include "guest/archive.h"
#include "lib/deadline.h"
#include "operation/engines.h"
#include "operation/target.h"
#include "operation/unpack.h"
#include "vm/vm.h"

struct up_options {
        struct common_options common;
        bool dry_run, cold, strict;
        const char *engine, *from;
};

static const struct option options[] = {
        OPTION(struct up_options, dry_run, "dry-run", 'n', OPTION_FLAG, NULL, "print the steps and change nothing"),
        OPTION(struct up_options, cold, "cold", 0, OPTION_FLAG, NULL,
               "boot a new VM instead of restoring it from a warm template"),
        OPTION(struct up_options, strict, "strict", 0, OPTION_FLAG, NULL,
               "end with exit status 6 when a repo could not be set up, or an optional step failed"),
        OPTION(struct up_options, engine, "engine", 0, OPTION_TEXT, "ENGINE", "engine of a new VM, instead of the project's"),
        OPTION(struct up_options, from, "from", 0, OPTION_TEXT, "FILE",
               "then bring back what 'destroy --save FILE' or 'rebuild --save FILE' has saved"),
        COMMON_OPTIONS(struct up_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct up_options *given = invocation->options;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(archive_clear) struct archive archive = ARCHIVE_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int64_t started = now_ms();
        struct up_result up;

        if (given->engine && engine_check_name(given->engine, err) < 0)
                return -1;
        if (given->from && archive_open(given->from, &archive, err) < 0)
                return -1;
        if (given->dry_run)
                return dry_run(context, invocation_name(invocation), err);
        if (up_open(&context->front, invocation_name(invocation), &target, &vm, err) < 0)
                return -1;
        target.project.cold |= given->cold;
        if (up_vm(&context->front, &vm, &target, given->engine ? given->engine : target.project.engine, &up, err) < 0)
                return -1;
        if (given->from &&
            unpack_work(&context->front, &vm, &archive, streq(up.how, "created") || streq(up.how, "restored"), err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "running", .how = up.how, .started = started },
                     "VM '%s' is up: machine ssh %s", vm.name, vm.name);
        return given->strict ? up_check_whole(&vm, &up, err) : 0;
}

const struct command command_up = {
        .name = "up",
        .operands = "[NAME]",
        .summary = "make, start and fill a project's VM",
        .text = "Makes the VM of a project if there is none, starts it if it doesn't run, and brings the project's\n"
                "repos into it. Without NAME: the project of the current checkout (.machine.toml), else 'default'.",
        .options = options,
        .options_size = sizeof(struct up_options),
        .operands_most = 1,
        .orderly = true,
        .run = run,
};
