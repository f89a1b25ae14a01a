#include "operation/bake.h"

#include "lib/interrupt.h"
#include "operation/describe.h"
#include "operation/engines.h"
#include "operation/outlook.h"
#include "operation/recipe-layers.h"
#include "operation/stock.h"
#include "operation/target.h"
#include "vm/vm.h"

static bool same_kind(const struct project *a, const struct project *b)
{
        return a->cpus == b->cpus && a->memory_bytes == b->memory_bytes && a->cold == b->cold && streq(a->engine, b->engine) &&
               strv_equal(&a->profiles, &b->profiles);
}

static bool seen_before(const struct projects *projects, size_t i)
{
        for (size_t j = 0; j < i; j++)
                if (!projects->items[j].mistakes && same_kind(&projects->items[i], &projects->items[j]))
                        return true;
        return false;
}

static int make(struct front *front, const struct target *target, bool force, struct error **err)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(freep) char *why = NULL;
        const struct engine *engine;

        if (engine_choose(target->project.engine, &engine, &why, err) < 0)
                return -1;
        if (!engine->bake && !engine->fill_layer) {
                event_note(front->events, "engine '%s' makes nothing in advance", engine->name);
                return 0;
        }
        outlook_tell(front, engine, target);
        describe_record(&record, &target->project, target->name, engine->name);
        if (recipe_layers_ensure(front, engine, &record, target, &layers, err) < 0)
                return -1;
        set_string(&record.layer, xstrdup(layers.key));
        if (engine->bake && engine->bake(&record, force, front->events, err) < 0)
                return -1;
        stock_trim(front->events);
        return 0;
}

static int bake(struct front *front, struct target *target, char *again, bool force, struct error **err)
{
        target->again = again;
        return make(front, target, force, err) < 0 ? error_again(err, target->again) : 0;
}

static int bake_named(struct front *front, const char *name, bool force, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;

        return target_named(front, name, &target, err) < 0 ? -1 : bake(front, &target, xstrdup("machine bake"), force, err);
}

int bake_profiles(struct front *front, const struct projects *projects, const struct strv *profiles, bool force,
                  struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(freep) char *names = strv_join(profiles, " ");
        _cleanup_(freep) char *again = xasprintf("machine bake%s%s", profiles->count > 0 ? " " : "", names);

        interrupt_next("%s", again);
        if (project_default(&target.project, PROJECT_DEFAULT_NAME, projects, err) < 0)
                return -1;
        target.name = xstrdup(PROJECT_DEFAULT_NAME);
        if (profiles->count > 0)
                strv_clear(&target.project.profiles);
        strv_add_all(&target.project.profiles, profiles);
        return bake(front, &target, TAKE_PTR(again), force, err);
}

int bake_all(struct front *front, const struct projects *projects, bool force, struct error **err)
{
        interrupt_next("machine bake");
        for (size_t i = 0; i < projects->count; i++)
                if (!projects->items[i].mistakes && !seen_before(projects, i) &&
                    bake_named(front, projects->items[i].name, force, err) < 0)
                        return -1;
        return projects->count > 0 ? 0 : bake_profiles(front, projects, &(struct strv)STRV_INIT, force, err);
}
