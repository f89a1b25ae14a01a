#include "command/engines.h"
#include "command/lifecycle.h"
#include "command/recipe-layers.h"
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

static bool same_kind(const struct project *a, const struct project *b)
{
        return a->cpus == b->cpus && a->memory_bytes == b->memory_bytes && a->cold == b->cold && streq(a->engine, b->engine) &&
               strv_equal(&a->profiles, &b->profiles);
}

static bool seen_before(const struct projects *projects, size_t i)
{
        for (size_t j = 0; j < i; j++)
                if (same_kind(&projects->items[i], &projects->items[j]))
                        return true;
        return false;
}

static int bake(struct context *context, const struct target *target, bool force, struct error **err)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(freep) char *why = NULL;
        const struct engine *engine;

        if (engine_choose(target->project.engine, &engine, &why, err) < 0)
                return -1;
        if (!engine->bake && !engine->fill_layer) {
                event_note(context->events, "engine '%s' makes nothing ahead", engine->name);
                return 0;
        }
        lifecycle_describe(&record, &target->project, target->name, engine->name);
        if (recipe_layers_ensure(context, engine, &record, target, &layers, err) < 0)
                return -1;
        set_string(&record.layer, xstrdup(layers.key));
        if (engine->bake && engine->bake(&record, force, context->events, err) < 0)
                return -1;
        stock_trim(context->events);
        return 0;
}

static int bake_named(struct context *context, const char *name, bool force, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;

        return target_named(context, name, &target, err) < 0 ? -1 : bake(context, &target, force, err);
}

/* For the usual size. */
static int bake_profiles(struct context *context, const struct projects *projects, const struct strv *profiles, bool force,
                         struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;

        if (project_default(&target.project, PROJECT_DEFAULT_NAME, projects, err) < 0)
                return -1;
        target.name = xstrdup(PROJECT_DEFAULT_NAME);
        if (profiles->count > 0)
                strv_clear(&target.project.profiles);
        strv_add_all(&target.project.profiles, profiles);
        return bake(context, &target, force, err);
}

static int bake_all(struct context *context, const struct projects *projects, bool force, struct error **err)
{
        for (size_t i = 0; i < projects->count; i++)
                if (!seen_before(projects, i) && bake_named(context, projects->items[i].name, force, err) < 0)
                        return -1;
        return projects->count > 0 ? 0 : bake_profiles(context, projects, &(struct strv)STRV_INIT, force, err);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct bake_options *given = invocation->options;
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        if (projects_read(&projects, err) < 0 ||
            (invocation->operands.count > 0 ? bake_profiles(context, &projects, &invocation->operands, given->force, err)
                                            : bake_all(context, &projects, given->force, err)) < 0)
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
        .operands = "[PROFILE…]",
        .summary = "build images, recipes' layers and warm templates ahead of time",
        .text = "For every project in projects.toml: its recipe's layers and a template of its size (cpus, memory). With PROFILE…\n"
                "for the recipe's base and those profiles, in the usual size. What is not baked is built by the first 'machine up'\n"
                "that needs it.",
        .options = options,
        .options_size = sizeof(struct bake_options),
        .operands_most = SIZE_MAX,
        .run = run,
};
