#include "operation/observe.h"

#include "config/project.h"
#include "guest/lend.h"
#include "guest/repos.h"
#include "operation/boundary.h"
#include "operation/engines.h"
#include "operation/recipe.h"

void observation_clear(struct observation *observation)
{
        vm_status_clear(&observation->status);
        commits_clear(&observation->commits);
        recipe_clear(&observation->recipe);
        free(observation->recipe_hash);
}

/* Finds who commits, and which keys that and the repos need. */
static int find_commits(const struct project *project, struct commits *out, struct error **err)
{
        _cleanup_(committer_clear) struct committer committer = COMMITTER_INIT;

        if (committer_find(&committer, err) < 0)
                return -1;
        commits_describe(&committer, project->forward_agent, out);
        if (project->forward_agent && project->keys.count == 0)
                lend_choose(project, committer.signing_key, &out->keys);
        return 0;
}

/* Has the base image changed since the VM was made? When that can't be found out, the VM is not made anew for it. */
static bool has_old_base(const struct vm *vm)
{
        _cleanup_(freep) char *base = NULL;

        return vm->exists && vm->record.base && !vm->record.image && vm->engine->base_layer &&
               vm->engine->base_layer(vm->record.user, NULL, false, NULL, &base, NULL) > 0 &&
               vm->engine->stands_on(vm->record.base, base, NULL) == 0;
}

int observe(const struct vm *vm, const struct target *target, struct observation *out, struct error **err)
{
        if (recipe_resolved(target, &out->recipe, err) < 0 || vm_inspect(vm, &out->status, err) < 0 ||
            find_commits(&target->project, &out->commits, err) < 0)
                return -1;
        if (vm->exists && out->status.state == VM_RUNNING && vm_find_lost(vm, &out->lost, err) < 0)
                return -1;
        out->recipe_hash = recipe_hash(&out->recipe);
        out->seen = (struct plan_observed){
                .record = vm->exists ? &vm->record : NULL,
                .state = out->status.state,
                .recipe = out->recipe_hash,
                .git = out->commits.hash,
                .needed_keys = &out->commits.keys,
                .old_base = has_old_base(vm),
                .lost = vm->exists && out->status.state == VM_RUNNING ? out->lost.now : NULL,
                .grows_disk = vm->exists && vm->engine->grows_disk,
        };
        return 0;
}

int observe_plan(const struct vm *vm, const struct target *target, struct observation *observed, struct plan *plan,
                 struct error **err)
{
        if (observe(vm, target, observed, err) < 0 || (vm->exists && boundary_check(&target->project, vm->engine, err) < 0))
                return -1;
        if (plan_up(&target->project, &observed->seen, plan, err) < 0) {
                /* The plan knows that it is broken, and not why. */
                if (observed->status.reason && err && *err)
                        set_string(&(*err)->message, xasprintf("%s: %s", (*err)->message, observed->status.reason));
                return -1;
        }
        return plan_has(plan, PLAN_CREATE) ? repos_check(vm, &target->project, err) : 0;
}

int observe_preview(const struct vm *vm, const struct target *target, struct plan *plan, struct recipe *recipe,
                    struct error **err)
{
        _cleanup_(observation_clear) struct observation observed = OBSERVATION_INIT;

        if (observe_plan(vm, target, &observed, plan, err) < 0)
                return -1;
        *recipe = observed.recipe;
        observed.recipe = (struct recipe)RECIPE_INIT;
        return 0;
}

int observe_drift(const struct vm *vm, const struct target *target, struct vm_status *status, struct drift *out,
                  struct error **err)
{
        _cleanup_(observation_clear) struct observation observed = OBSERVATION_INIT;

        if (observe(vm, target, &observed, err) < 0)
                return -1;
        drift_find(&target->project, &observed.seen, out);
        vm_status_clear(status);
        *status = observed.status;
        observed.status = (struct vm_status)VM_STATUS_INIT;
        return 0;
}

int observe_outlook(const struct target *target, struct outlook *out, struct error **err)
{
        _cleanup_(freep) char *why = NULL;
        const struct engine *engine;

        return engine_choose(target->project.engine, &engine, &why, err) < 0 ? -1 : outlook_find(engine, target, out, err);
}
