#include "operation/bake.h"
#include "command/command.h"
#include "command/result.h"
#include "config/project.h"

struct bake_options {
        struct common_options common;
        bool force;
};

static const struct option options[] = {
        OPTION(struct bake_options, force, "force", 0, OPTION_FLAG, NULL, "make warm templates again, even if they exist"),
        COMMON_OPTIONS(struct bake_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct bake_options *given = invocation->options;
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        if (projects_read_apart(&projects, err) < 0)
                return -1;
        projects_warn(&projects, NULL, context->front.events);
        if ((invocation->operands.count > 0
                     ? bake_profiles(&context->front, &projects, &invocation->operands, given->force, err)
                     : bake_all(&context->front, &projects, given->force, err)) < 0)
                return -1;
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s}", "event", "result"));
        else if (!context->quiet)
                fputs("all images and warm templates are built: machine layers\n", stderr);
        return 0;
}

const struct command command_bake = {
        .name = "bake",
        .operands = "[PROFILE…]",
        .summary = "build images, recipes' layers and warm templates ahead of time",
        .text = "Builds, for every project in projects.toml, its recipe's layers and a template of its size (cpus, memory). With\n"
                "PROFILE… it builds them for the base recipe and those profiles, in the usual size. The first 'machine up' that\n"
                "needs something else builds that itself.",
        .options = options,
        .options_size = sizeof(struct bake_options),
        .operands_most = SIZE_MAX,
        .orderly = true,
        .run = run,
};
