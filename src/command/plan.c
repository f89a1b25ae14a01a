#include "command/command.h"
#include "command/dry-run.h"

struct plan_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct plan_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        return dry_run(context, invocation_name(invocation), err);
}

const struct command command_plan = {
        .name = "plan",
        .operands = "[NAME]",
        .summary = "show what 'up' would do, and the recipe's steps",
        .text = "Shows every step with its file and line: why it is left out, whether a download's hash is in the recipe\n"
                "(pinned), in machine.lock (locked) or will be recorded, and the versions that machine.lock has.\n"
                "Changes nothing.",
        .options = options,
        .options_size = sizeof(struct plan_options),
        .operands_most = 1,
        .run = run,
};
