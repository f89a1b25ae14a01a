#include "plan/plan.h"

#include "config/egress.h"
#include "config/recipe-lack.h"

static const char *const names[] = {
        [PLAN_FINISH_DESTROY] = "finish-destroy",
        [PLAN_DISCARD] = "discard",
        [PLAN_CREATE] = "create",
        [PLAN_RESTART] = "restart",
        [PLAN_START] = "start",
        [PLAN_EGRESS] = "egress",
        [PLAN_GIT] = "git",
        [PLAN_RECIPE] = "provision",
        [PLAN_CLIENTS] = "clients",
        [PLAN_REPOS] = "repos",
        [PLAN_PUBLISH] = "publish",
};

const char *plan_step_name(enum plan_step_type type)
{
        return names[type];
}

void plan_clear(struct plan *plan)
{
        for (size_t i = 0; i < plan->count; i++)
                free(plan->steps[i].reason);
        free(plan->steps);
        strv_clear(&plan->notes);
        *plan = (struct plan)PLAN_INIT;
}

bool plan_has(const struct plan *plan, enum plan_step_type type)
{
        for (size_t i = 0; i < plan->count; i++)
                if (plan->steps[i].type == type)
                        return true;
        return false;
}

static void add_step(struct plan *plan, enum plan_step_type type, const char *format, ...) _printf_(3, 4);

static void add_step(struct plan *plan, enum plan_step_type type, const char *format, ...)
{
        va_list args;

        plan->steps = xreallocarray(plan->steps, plan->count + 1, sizeof(*plan->steps));
        va_start(args, format);
        plan->steps[plan->count++] = (struct plan_step){ .type = type, .reason = xvasprintf(format, args) };
        va_end(args);
}

/* --- the steps */

static void plan_new(const struct project *wanted, const struct plan_observed *observed, struct plan *plan)
{
        _cleanup_(strv_clear) struct strv clients = STRV_INIT;
        _cleanup_(freep) char *list = NULL;
        const char *name = wanted->name;

        add_step(plan, PLAN_CREATE, "there is no VM '%s' yet", name);
        add_step(plan, PLAN_START, "VM '%s' is new", name);
        if (observed->recipe)
                add_step(plan, PLAN_RECIPE, "VM '%s' is new, and its recipe is not applied", name);
        egress_unanswered(wanted, &(struct strv)STRV_INIT, &clients);
        list = strv_join(&clients, ", ");
        if (clients.count > 0)
                add_step(plan, PLAN_CLIENTS, "the guest's package clients know what '%s' allows", list);
        if (wanted->repo_count > 0)
                add_step(plan, PLAN_REPOS, "VM '%s' is new and has no code", name);
        add_step(plan, PLAN_PUBLISH, "so that ssh knows 'machine-%s'", name);
}

/* Notes the differences that no step of this plan changes. */
static void note_drift(const struct project *wanted, const struct drift *drift, struct plan *plan)
{
        for (size_t i = 0; i < drift->count; i++)
                if (drift->items[i].remedy != DRIFT_UP)
                        strv_take(&plan->notes, drift_text(&drift->items[i], wanted->name));
}

static void plan_repos(const struct project *wanted, const struct vm_record *record, struct plan *plan)
{
        for (size_t i = 0; i < wanted->repo_count; i++)
                if (!strv_contains(&record->repos, wanted->repos[i].url)) {
                        add_step(plan, PLAN_REPOS, "'%s' is new in the configuration", wanted->repos[i].url);
                        return;
                }
        if (wanted->repo_count == 0)
                return;
        /* Only the guest knows what it still has; the step is quick when nothing is missing. */
        if (record->intent == INTENT_SETUP)
                add_step(plan, PLAN_REPOS, "the set-up of VM '%s' was interrupted", wanted->name);
        else
                add_step(plan, PLAN_REPOS, "to bring in what VM '%s' lacks", wanted->name);
}

static void plan_lacks(const struct vm_record *record, struct plan *plan)
{
        _cleanup_(freep) char *titles = recipe_lack_titles(&record->lacks);

        add_step(plan, PLAN_RECIPE, "to try again what failed: %s", titles);
}

static void plan_existing(const struct project *wanted, const struct plan_observed *observed, struct plan *plan)
{
        const struct vm_record *record = observed->record;
        _cleanup_(drift_clear) struct drift drift = DRIFT_INIT;
        bool running = vm_state_is_alive(observed->state);
        const char *name = wanted->name;
        const char *changed;

        drift_find(wanted, observed, &drift);
        changed = drift_restarts(&drift);
        plan->running = running && !changed;
        if (running && changed)
                add_step(plan, PLAN_RESTART, "'%s' changed in the configuration", changed);
        if (running && changed)
                add_step(plan, PLAN_START, "VM '%s' is stopped for that", name);
        else if (observed->state != VM_RUNNING)
                add_step(plan, PLAN_START, "VM '%s' is %s", name, vm_state_name(observed->state));
        else if (observed->lost)
                add_step(plan, PLAN_START, "VM '%s' has lost %s", name, observed->lost);
        else if (record->intent == INTENT_SETUP)
                add_step(plan, PLAN_START, "the first start of VM '%s' may have been interrupted", name);
        if (plan->running && drift_has(&drift, "egress"))
                add_step(plan, PLAN_EGRESS, "what VM '%s' may reach changed in the configuration", name);
        if (drift_has(&drift, "git"))
                add_step(plan, PLAN_GIT,
                         record->git ? "who commits here, or the signing key, changed"
                                     : "git in the guest needs to know who commits");
        if (drift_has(&drift, "recipe"))
                add_step(plan, PLAN_RECIPE, record->recipe ? "the recipe changed" : "the recipe is not applied yet");
        else if (drift_has(&drift, DRIFT_LACKS))
                plan_lacks(record, plan);
        if (record->ask_clients)
                add_step(plan, PLAN_CLIENTS, "the set-up of VM '%s' was interrupted", name);
        plan_repos(wanted, record, plan);
        if (!running || changed || record->intent == INTENT_SETUP || drift_has(&drift, "forward_agent") ||
            drift_has(&drift, "keys") || drift_has(&drift, "key_hosts") || drift_has(&drift, "confirm"))
                add_step(plan, PLAN_PUBLISH, "so that ssh knows 'machine-%s'", name);
        note_drift(wanted, &drift, plan);
}

static int refuse(const struct project *wanted, const char *why, const char *command, struct error **err)
{
        error_set(err, ERROR_ENGINE, "VM '%s' %s", wanted->name, why);
        return error_hint(err, "machine %s", command);
}

static int refuse_without_disk(const struct project *wanted, struct error **err)
{
        _cleanup_(freep) char *command = xasprintf("rebuild %s", wanted->name);

        return refuse(wanted, "has lost its disk", command, err);
}

static int plan_steps(const struct project *wanted, const struct plan_observed *observed, struct plan *plan, struct error **err)
{
        const struct vm_record *record = observed->record;

        if (!record && observed->state != VM_ABSENT) {
                error_set(err, ERROR_ENGINE, "VM '%s' is %s, but there is no record of it", wanted->name,
                          vm_state_name(observed->state));
                return error_hint(err, "machine doctor");
        }
        if (!record) {
                plan_new(wanted, observed, plan);
                return 0;
        }
        /* Nobody has worked in such a VM, so whatever is left of it may go. */
        if (record->intent == INTENT_DESTROY)
                add_step(plan, PLAN_FINISH_DESTROY, "the removal of VM '%s' was interrupted", wanted->name);
        else if (record->intent == INTENT_CREATE)
                add_step(plan, PLAN_DISCARD, "the making of VM '%s' was interrupted", wanted->name);
        else if (observed->state == VM_BROKEN)
                return refuse(wanted, "can't be used as it is", "doctor", err);
        else if (observed->state == VM_ABSENT)
                return refuse_without_disk(wanted, err);

        if (plan->count > 0)
                plan_new(wanted, observed, plan);
        else
                plan_existing(wanted, observed, plan);
        return 0;
}

int plan_up(const struct project *wanted, const struct plan_observed *observed, struct plan *out, struct error **err)
{
        _cleanup_(plan_clear) struct plan plan = PLAN_INIT;

        if (plan_steps(wanted, observed, &plan, err) < 0)
                return -1;
        plan_clear(out);
        *out = plan;
        plan = (struct plan)PLAN_INIT;
        return 0;
}
