#include "operation/up.h"

#include "config/egress.h"
#include "config/project.h"
#include "config/recipe-ca.h"
#include "guest/clients.h"
#include "guest/session.h"
#include "host/keys.h"
#include "lib/interrupt.h"
#include "operation/boundary.h"
#include "operation/code.h"
#include "operation/describe.h"
#include "operation/destroy.h"
#include "operation/engines.h"
#include "operation/observe.h"
#include "operation/outlook.h"
#include "operation/power.h"
#include "operation/recipe-apply.h"
#include "operation/recipe-layers.h"
#include "operation/rename.h"
#include "operation/secrets.h"
#include "operation/stock.h"
#include "plan/plan.h"

/* With layers, the VM has the recipe from the start. */
static int take_layers(struct front *front, struct vm *vm, const struct target *target, struct error **err)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;

        if (recipe_layers_ensure(front, vm->engine, &vm->record, target, &layers, err) < 0)
                return -1;
        set_string(&vm->record.layer, xstrdup(layers.key));
        set_string(&vm->record.recipe, xstrdup(layers.hash));
        strv_clear(&vm->record.lacks);
        strv_add_all(&vm->record.lacks, &layers.lacks);
        /* Saved now, so that nobody takes the layer for unused. */
        return vm_save(vm, err);
}

static int create(struct front *front, struct vm *vm, const struct target *target, const struct commits *commits,
                  const char *wanted_engine, struct error **err)
{
        const struct project *project = &target->project;
        _cleanup_(freep) char *why = NULL;
        const struct engine *engine;

        if (engine_choose(wanted_engine, &engine, &why, err) < 0 || boundary_check(project, engine, err) < 0)
                return -1;
        event_note(front->events, "engine %s", why);
        engine_warn_slow(engine, front->events);
        describe_record(&vm->record, project, vm->name, engine->name);
        describe_needs(&vm->record, commits);
        vm->engine = engine;
        boundary_note(front, vm);
        if (commits->note)
                event_note(front->events, "%s", commits->note);
        set_string(&vm->record.git, xstrdup(commits->hash));
        outlook_tell(front, engine, target);
        if (vm_intend(vm, INTENT_CREATE, err) < 0 || keys_ensure(vm->folder, vm->name, front->events, err) < 0 ||
            commits_store(vm, commits, err) < 0 || take_layers(front, vm, target, err) < 0 ||
            engine->create(vm, front->events, err) < 0)
                return -1;
        stock_trim(front->events);
        return vm_intend(vm, INTENT_SETUP, err);
}

/*
 * Takes over the changed configuration before the plan's steps, which then go by the new record: a changed port is bound at the
 * next start. Follows only what needs no new VM; the plan's notes name the rest.
 */
static int follow(struct vm *vm, const struct target *target, const struct commits *commits, bool running, struct error **err)
{
        if (!vm->exists || (vm->record.intent != INTENT_NONE && vm->record.intent != INTENT_SETUP))
                return 0;
        describe_changes(&vm->record, &target->project);
        describe_needs(&vm->record, commits);
        if (!running)
                describe_sizes(&vm->record, &target->project, vm->engine);
        return vm_save(vm, err);
}

int up_open(struct front *front, const char *name, struct target *target, struct vm *vm, struct error **err)
{
        if (target_for_up(front, name, target, err) < 0 || vm_open(vm, target->name, err) < 0 ||
            vm_lock(vm, front->events, err) < 0)
                return -1;
        return project_claim_check(&target->project, vm->exists ? vm->record.owner : NULL, &target->projects, err);
}

static int tell_git(struct front *front, struct vm *vm, const struct commits *commits, struct error **err)
{
        if (commits->note)
                event_note(front->events, "%s", commits->note);
        if (commits_apply(vm, commits, err) < 0)
                return -1;
        set_string(&vm->record.git, xstrdup(commits->hash));
        return vm_save(vm, err);
}

static int fill(struct front *front, struct vm *vm, const struct target *target, struct error **err)
{
        _cleanup_(strv_clear) struct strv lacks = STRV_INIT;
        _cleanup_(freep) char *hash = NULL;

        if (recipe_apply(front, vm, target, &lacks, &hash, err) < 0)
                return -1;
        set_string(&vm->record.recipe, TAKE_PTR(hash));
        strv_clear(&vm->record.lacks);
        strv_add_all(&vm->record.lacks, &lacks);
        return vm_save(vm, err);
}

/* Two passes: a package index, once reachable, may name further hosts. */
static int ask_clients(struct front *front, struct vm *vm, const struct project *project, struct error **err)
{
        _cleanup_(strv_clear) struct strv unanswered = STRV_INIT;
        struct vm_record *record = &vm->record;

        event_begin(front->events, "clients", "asking the guest's package clients which hosts they use");
        for (int pass = 0; pass < 2; pass++) {
                if (clients_ask(vm, &record->clients, err) < 0)
                        goto fail;
                describe_rules(record, project);
                if (vm_change_rules(vm, err) < 0)
                        goto fail;
        }
        record->ask_clients = false;
        if (vm_save(vm, err) < 0)
                goto fail;
        event_end(front->events, "clients", EVENT_DONE, NULL);
        egress_unanswered(project, &record->clients, &unanswered);
        for (size_t i = 0; i < unanswered.count; i++)
                event_warning(front->events, "the guest has no client for \"%s\", so that rule allows nothing",
                              unanswered.items[i]);
        return 0;
fail:
        event_end(front->events, "clients", EVENT_FAILED, NULL);
        return -1;
}

static int carry_out(struct front *front, struct vm *vm, const struct target *target, const struct commits *commits,
                     const char *engine, const struct plan_step *step, struct up_result *result, struct error **err)
{
        switch (step->type) {
        case PLAN_FINISH_DESTROY:
        case PLAN_DISCARD:
                return destroy_vm(front, vm, err);
        case PLAN_CREATE:
                return create(front, vm, target, commits, engine, err);
        case PLAN_RESTART:
                return power_stop(front, vm, NULL, err);
        case PLAN_START:
                return power_boot(front, vm, err);
        case PLAN_EGRESS:
                return vm_change_rules(vm, err);
        case PLAN_GIT:
                return tell_git(front, vm, commits, err);
        case PLAN_RECIPE:
                return fill(front, vm, target, err);
        case PLAN_CLIENTS:
                return ask_clients(front, vm, &target->project, err);
        case PLAN_REPOS:
                return code_bring(front, vm, target, &result->not_set_up, err);
        case PLAN_PUBLISH:
                return power_publish(vm, err);
        }
        return error_set(err, ERROR_FAILED, "no such step");
}

/* The first step from `from` on that opens a session; NULL = none does. A VM that is `filled` was made with its recipe in it.
 */
static const struct plan_step *find_session(const struct plan *plan, size_t from, bool filled)
{
        for (size_t i = from; i < plan->count; i++)
                if (plan->steps[i].type == PLAN_GIT || (plan->steps[i].type == PLAN_RECIPE && !filled) ||
                    plan->steps[i].type == PLAN_CLIENTS || plan->steps[i].type == PLAN_REPOS)
                        return &plan->steps[i];
        return NULL;
}

/* Opens the connection while the host has something else to do: nothing but its own end, or its work on the checkout. */
static void warm(struct vm *vm, const struct plan *plan, size_t from, bool filled, const struct project *project)
{
        const struct plan_step *first = find_session(plan, from, filled);

        if (!secrets_wanted(project) && (!first || first->type == PLAN_REPOS))
                session_warm_begin(vm, !first);
}

/* Called after the recipe: profiles that were added at the end of the list are in the VM by then. */
static int follow_profiles(struct vm *vm, const struct project *project, struct error **err)
{
        struct strv *has = &vm->record.profiles;

        if (has->count == project->profiles.count || !strv_begins_with(&project->profiles, has))
                return 0;
        for (size_t i = has->count; i < project->profiles.count; i++)
                strv_add(has, project->profiles.items[i]);
        return vm_save(vm, err);
}

/* Records whether the VM has this computer's CA certificates, once its recipe is the configured one. For the doctor only. */
static void follow_host_ca(struct vm *vm, const struct recipe *recipe, bool applied)
{
        bool has = recipe_ca_has_host(recipe);

        if (!applied || !vm->exists || vm->record.host_ca == has)
                return;
        vm->record.host_ca = has;
        vm_save(vm, NULL);
}

static int up(struct front *front, struct vm *vm, const struct target *target, const char *engine, struct up_result *out,
              struct error **err)
{
        _cleanup_(observation_clear) struct observation observed = OBSERVATION_INIT;
        _cleanup_(plan_clear) struct plan plan = PLAN_INIT;
        bool followed = false;
        bool filled = false;
        bool secrets = false;
        bool applied;
        int status = 0;

        *out = (struct up_result){ .how = "running" };
        if (vm->exists && rename_follow(front, vm, err) < 0)
                return -1;
        if (vm->exists && vm->record.intent != INTENT_CREATE && vm->record.intent != INTENT_DESTROY &&
            (vm_resume(vm, err) < 0 || power_wake(front, vm, err) < 0))
                return -1;
        if (vm->woken)
                out->how = "woken";
        if (observe_plan(vm, target, &observed, &plan, err) < 0 || (plan.running && power_refresh(vm, err) < 0))
                return -1;
        applied = !plan_has(&plan, PLAN_RECIPE);
        if (plan.running)
                vm_settle_clock(vm, front->events);
        for (size_t i = 0; i < plan.notes.count; i++)
                event_note(front->events, "%s", plan.notes.items[i]);
        for (size_t i = 0; i < plan.count; i++) {
                const struct plan_step *step = &plan.steps[i];

                status = interrupt_check(err);
                if (status < 0)
                        break;
                /* After the stop: if killed in between, the next run still sees that a running VM has the old ports. */
                if (step->type != PLAN_RESTART && !followed) {
                        status = follow(vm, target, &observed.commits, plan.running, err);
                        if (status < 0)
                                break;
                        followed = true;
                }
                if (step->type == PLAN_RECIPE && filled)
                        continue;
                /* The secrets come before the set-up of repos, which may need them. */
                if (step->type == PLAN_REPOS) {
                        secrets_bring_softly(front, vm, &target->project);
                        secrets = true;
                }
                if (step->type == PLAN_CREATE)
                        out->how = "created";
                else if (step->type == PLAN_START && streq(out->how, "running") && !plan.running)
                        out->how = "started";
                status = carry_out(front, vm, target, &observed.commits, engine, step, out, err);
                if (status < 0)
                        break;
                if (step->type == PLAN_CREATE)
                        filled = vm->record.layer != NULL;
                applied |= filled || step->type == PLAN_RECIPE;
                if (step->type == PLAN_START && vm->from_template)
                        out->how = "restored";
                if (step->type == PLAN_START && !vm->from_template)
                        vm_settle_clock(vm, front->events);
                if (step->type == PLAN_START)
                        warm(vm, &plan, i + 1, filled, &target->project);
        }
        if (status == 0)
                status = interrupt_check(err);
        if (status == 0 && !secrets)
                secrets_bring_softly(front, vm, &target->project);
        if (status == 0)
                status = follow_profiles(vm, &target->project, err);
        if (status == 0 && vm->record.intent != INTENT_NONE)
                status = vm_intend(vm, INTENT_NONE, err);
        session_warm_await(vm);
        follow_host_ca(vm, &observed.recipe, applied);
        return status == 0 ? interrupt_check(err) : status;
}

int up_check_whole(const struct vm *vm, const struct up_result *up, struct error **err)
{
        size_t lacks = vm->record.lacks.count;
        struct error *errors = NULL, *error = NULL;

        if (up->not_set_up > 0)
                error_set(&errors, ERROR_STEP, "%zu repo%s of project '%s' could not be set up", up->not_set_up,
                          up->not_set_up == 1 ? "" : "s", vm->name);
        if (lacks > 0) {
                error_set(&error, ERROR_STEP, "VM '%s' lacks %zu optional step%s of its recipe", vm->name, lacks,
                          lacks == 1 ? "" : "s");
                error_hint(&error, "machine status %s names %s", vm->name, lacks == 1 ? "it" : "them");
                error_append(&errors, error);
        }
        return error_give(err, errors);
}

int up_vm(struct front *front, struct vm *vm, const struct target *target, const char *engine, struct up_result *out,
          struct error **err)
{
        _cleanup_(freep) char *command = xasprintf("machine up %s", vm->name);

        interrupt_next("%s", command);
        return up(front, vm, target, engine, out, err) < 0 ? error_again(err, command) : 0;
}
