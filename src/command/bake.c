#include "command/engines.h"
#include "command/lifecycle.h"
#include "command/result.h"
#include "command/stock.h"
#include "config/project.h"

struct bake_options {
        struct common_options common;
        bool force;
};

static const struct option options[] = {
        OPTION(struct bake_options, force, "force", 0, OPTION_FLAG, NULL, "make warm templates anew"),
        COMMON_OPTIONS(struct bake_options),
        { 0 },
};

static bool same_size(const struct project *a, const struct project *b)
{
        return a->cpus == b->cpus && a->memory_bytes == b->memory_bytes && a->cold == b->cold && streq(a->engine, b->engine);
}

static bool seen_before(const struct projects *projects, size_t i)
{
        for (size_t j = 0; j < i; j++)
                if (same_size(&projects->items[i], &projects->items[j]))
                        return true;
        return false;
}

static int bake(struct context *context, const struct project *project, bool force, struct error **err)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(freep) char *why = NULL;
        const struct engine *engine;

        if (engine_choose(project->engine, &engine, &why, err) < 0)
                return -1;
        if (!engine->bake) {
                event_note(context->events, "engine '%s' makes nothing ahead", engine->name);
                return 0;
        }
        lifecycle_describe(&record, project, project->name, engine->name);
        if (engine->bake(&record, force, context->events, err) < 0)
                return -1;
        stock_trim(engine, context->events);
        return 0;
}

static int bake_all(struct context *context, const struct projects *projects, bool force, struct error **err)
{
        _cleanup_(project_clear) struct project usual = PROJECT_INIT;

        for (size_t i = 0; i < projects->count; i++)
                if (!seen_before(projects, i) && bake(context, &projects->items[i], force, err) < 0)
                        return -1;
        if (projects->count > 0)
                return 0;
        return project_default(&usual, PROJECT_DEFAULT_NAME, projects, err) < 0 ? -1 : bake(context, &usual, force, err);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct bake_options *given = invocation->options;
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        if (projects_read(&projects, err) < 0 || bake_all(context, &projects, given->force, err) < 0)
                return -1;
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s}", "event", "result"));
        else if (!context->quiet)
                fputs("all images and warm templates are there: machine layers\n", stderr);
        return 0;
}

const struct command command_bake = {
        .name = "bake",
        .operands = "",
        .summary = "build images and warm templates ahead of time",
        .text = "For every size (cpus, memory) that a project in projects.toml has; without projects, for the usual one. What is\n"
                "not baked is built by the first 'machine up' that needs it.",
        .options = options,
        .options_size = sizeof(struct bake_options),
        .operands_most = 0,
        .run = run,
};
