#include "command/command.h"
#include "command/result.h"

#ifndef MACHINE_VERSION
#error "MACHINE_VERSION comes from the build"
#endif

struct version_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct version_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s, s:s}", "name", "machine", "version", MACHINE_VERSION));
        else
                puts("machine " MACHINE_VERSION);
        return 0;
}

const struct command command_version = {
        .name = "version",
        .operands = "",
        .summary = "print the version of this program",
        .text = "The same as 'machine --version'.",
        .options = options,
        .options_size = sizeof(struct version_options),
        .operands_most = 0,
        .run = run,
};
