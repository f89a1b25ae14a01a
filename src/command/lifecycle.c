#include "command/lifecycle.h"

#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include "command/code.h"
#include "command/engines.h"
#include "command/line.h"
#include "command/recipe-apply.h"
#include "command/recipe-layers.h"
#include "command/recipe-view.h"
#include "command/secrets-load.h"
#include "command/stock.h"
#include "config/egress.h"
#include "config/key-hosts.h"
#include "guest/clients.h"
#include "guest/commits.h"
#include "guest/lend.h"
#include "guest/repos.h"
#include "guest/session.h"
#include "host/keys.h"
#include "host/paths.h"
#include "host/ssh_config.h"
#include "host/user.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/os.h"
#include "lib/text.h"
#include "plan/plan.h"
#include "vm/rules.h"

static char *random_uuid(void)
{
        unsigned char bytes[16];

        randombytes_buf(bytes, sizeof bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40; /* RFC 9562: version 4 */
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        return xasprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2],
                         bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9], bytes[10], bytes[11], bytes[12],
                         bytes[13], bytes[14], bytes[15]);
}

/* What a start of a stopped VM takes over. A disk only grows. */
static void record_follow_sizes(struct vm_record *record, const struct project *project, const struct engine *engine)
{
        record->cpus = project->cpus;
        record->memory_bytes = project->memory_bytes;
        if (engine->grows_disk && project->disk_bytes > record->disk_bytes)
                record->disk_bytes = project->disk_bytes;
}

static void record_follow_rules(struct vm_record *record, const struct project *project)
{
        strv_clear(&record->allow);
        egress_rules(project, &record->clients, &record->allow);
}

/* What a running or stopped VM can take over from a changed configuration without being made anew. */
static void record_follow(struct vm_record *record, const struct project *project)
{
        strv_clear(&record->repos);
        for (size_t i = 0; i < project->repo_count; i++)
                strv_add(&record->repos, project->repos[i].url);
        free(record->ports);
        record->ports = NULL;
        record->port_count = 0;
        if (project->port_count > 0)
                record->ports = xcalloc(project->port_count, sizeof *record->ports);
        for (size_t i = 0; i < project->port_count; i++)
                record->ports[record->port_count++] =
                        (struct vm_port){ .host = project->ports[i].host, .guest = project->ports[i].guest };
        record->lan = project->lan;
        record->forward_agent = project->forward_agent;
        record->confirm = project->confirm;
        strv_clear(&record->keys);
        strv_add_all(&record->keys, &project->keys);
        strv_clear(&record->key_hosts);
        key_hosts_expand(project, &record->key_hosts);
        set_string(&record->egress, xstrdup(project->egress));
        record_follow_rules(record, project);
}

static void record_follow_needs(struct vm_record *record, const struct commits *commits)
{
        strv_clear(&record->needed_keys);
        strv_add_all(&record->needed_keys, &commits->keys);
}

void lifecycle_describe(struct vm_record *record, const struct project *project, const char *name, const char *engine)
{
        _cleanup_(strv_clear) struct strv clients = STRV_INIT;

        vm_record_clear(record);
        record->name = xstrdup(name);
        record->owner = xstrdup(project->checkout ? project->checkout : "projects.toml");
        record->engine = xstrdup(engine);
        record->uuid = random_uuid();
        record->user = user_for_guest();
        record->shell = xstrdup(project->shell);
        record->created = text_format_time(time(NULL));
        record->cpus = project->cpus;
        record->memory_bytes = project->memory_bytes;
        record->disk_bytes = project->disk_bytes;
        record->cold = project->cold;
        record->image = xstrdup(project->image);
        record->image_digest = xstrdup(project->image_digest);
        egress_unanswered(project, &record->clients, &clients);
        record->ask_clients = clients.count > 0;
        strv_add_all(&record->profiles, &project->profiles);
        record_follow(record, project);
}

static int describe_host(const struct vm *vm, struct ssh_host *host, char **program, struct error **err)
{
        *program = os_program_path(err);
        if (!*program)
                return -1;
        *host = (struct ssh_host){
                .name = vm->name,
                .folder = vm->folder,
                .user = vm->record.user,
                .program = *program,
                /* Anybody's ssh would lend all of them for everywhere, and ask nobody. */
                .forward_agent = vm->record.forward_agent && !vm->record.confirm && vm_record_keys(&vm->record)->count == 0 &&
                                 vm->record.key_hosts.count == 0,
        };
        return 0;
}

static int write_ssh_config(const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *control = paths_socket(vm->name, "master", err);
        _cleanup_(freep) char *program = NULL;
        struct ssh_host host;

        if (!control || describe_host(vm, &host, &program, err) < 0)
                return -1;
        return ssh_config_write_own(&host, control, err);
}

static int publish(const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *program = NULL;
        struct ssh_host host;

        if (describe_host(vm, &host, &program, err) < 0)
                return -1;
        return ssh_config_publish(&host, err);
}

/* Where there are layers, the recipe is in the VM from the start. */
static int take_layers(struct context *context, struct vm *vm, const struct target *target, struct error **err)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;

        if (recipe_layers_ensure(context, vm->engine, &vm->record, target, &layers, err) < 0)
                return -1;
        set_string(&vm->record.layer, xstrdup(layers.key));
        set_string(&vm->record.recipe, xstrdup(layers.hash));
        /* So that nobody takes it for unused. */
        return vm_save(vm, err);
}

static int create(struct context *context, struct vm *vm, const struct target *target, const struct commits *commits,
                  const char *wanted_engine, struct error **err)
{
        const struct project *project = &target->project;
        _cleanup_(freep) char *why = NULL;
        const struct engine *engine;

        if (engine_choose(wanted_engine, &engine, &why, err) < 0 || line_check(project, engine, err) < 0)
                return -1;
        event_note(context->events, "engine %s", why);
        lifecycle_describe(&vm->record, project, vm->name, engine->name);
        record_follow_needs(&vm->record, commits);
        vm->engine = engine;
        line_note(context, vm);
        if (commits->note)
                event_note(context->events, "%s", commits->note);
        set_string(&vm->record.git, xstrdup(commits->hash));
        if (vm_intend(vm, INTENT_CREATE, err) < 0 || keys_ensure(vm->folder, vm->name, err) < 0 ||
            commits_store(vm, commits, err) < 0 || take_layers(context, vm, target, err) < 0 ||
            engine->create(vm, context->events, err) < 0)
                return -1;
        stock_trim(context->events);
        return vm_intend(vm, INTENT_SETUP, err);
}

static int start(struct context *context, struct vm *vm, struct error **err)
{
        if (write_ssh_config(vm, err) < 0 || rules_write(vm, err) < 0)
                return -1;
        return vm->engine->start(vm, context->events, err);
}

int lifecycle_start(struct context *context, struct vm *vm, struct error **err)
{
        if (vm->record.intent == INTENT_CREATE || vm->record.intent == INTENT_DESTROY) {
                error_set(err, ERROR_ENGINE, "VM '%s' is only half %s", vm->name,
                          vm->record.intent == INTENT_CREATE ? "made" : "removed");
                return error_hint(err, "machine %s %s", vm->record.intent == INTENT_CREATE ? "up" : "destroy", vm->name);
        }
        return start(context, vm, err);
}

int lifecycle_stop(struct context *context, struct vm *vm, bool *was_running, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (was_running)
                *was_running = status.state == VM_RUNNING;
        session_close(vm);
        if (status.state != VM_RUNNING)
                return 0;
        return vm->engine->stop(vm, context->events, err);
}

/* Nothing asks a VM to shut down that is about to be removed: its disk goes with it. */
int lifecycle_destroy(struct context *context, struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *checkout = *vm->record.owner == '/' ? xstrdup(vm->record.owner) : NULL;

        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        event_begin(context->events, "destroy", "removing VM '%s'", vm->name);
        session_close(vm);
        if (vm_intend(vm, INTENT_DESTROY, err) < 0)
                goto fail;
        if (status.state == VM_RUNNING && vm->engine->kill(vm, err) < 0)
                goto fail;
        if (vm->engine->remove(vm, err) < 0 || ssh_config_withdraw(vm->name, err) < 0)
                goto fail;
        if (checkout && file_is_folder(checkout) && repos_withdraw(vm, checkout, err) < 0)
                goto fail;
        if (vm_forget(vm, err) < 0)
                goto fail;
        event_end(context->events, "destroy", EVENT_DONE, NULL);
        return 0;
fail:
        event_end(context->events, "destroy", EVENT_FAILED, NULL);
        return error_wrap(err, "cannot remove VM '%s'", vm->name);
}

int lifecycle_check_work(struct context *context, struct vm *vm, struct error **err)
{
        const char *checkout = *vm->record.owner == '/' ? vm->record.owner : NULL;
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *work = NULL;

        /* Before the set-up there was nothing to work in, and behind a begun destroy the question was answered. */
        if (vm->record.intent == INTENT_CREATE || vm->record.intent == INTENT_DESTROY)
                return 0;
        if (vm_inspect(vm, &status, err) < 0)
                return -1;
        if (status.state == VM_ABSENT)
                return 0;
        if (start(context, vm, err) < 0 || repos_find_work(vm, checkout, &work, err) < 0) {
                error_wrap(err, "cannot find out whether VM '%s' holds work that is nowhere else", vm->name);
                error_set_kind(err, ERROR_WORK);
                return error_hint(err, "to remove it all the same: --discard-work");
        }
        if (!work)
                return 0;
        error_set(err, ERROR_WORK, "VM '%s' holds work that is nowhere else:\n%s", vm->name, work);
        return error_hint(err, "push it or fetch it (machine ssh %s), or lose it by --discard-work", vm->name);
}

/*
 * Before the plan's steps, which then go by the new record: a changed port is bound at the next start. Only what takes no
 * making anew is followed; the plan's notes name the rest.
 */
static int follow(struct vm *vm, const struct target *target, const struct commits *commits, bool running, struct error **err)
{
        if (!vm->exists || (vm->record.intent != INTENT_NONE && vm->record.intent != INTENT_SETUP))
                return 0;
        record_follow(&vm->record, &target->project);
        record_follow_needs(&vm->record, commits);
        if (!running)
                record_follow_sizes(&vm->record, &target->project, vm->engine);
        return vm_save(vm, err);
}

int lifecycle_open(struct context *context, const char *name, struct target *target, struct vm *vm, struct error **err)
{
        if (target_wanted(context, name, target, err) < 0 || vm_open(vm, target->name, err) < 0 ||
            vm_lock(vm, context->events, err) < 0)
                return -1;
        return project_claim_check(&target->project, vm->exists ? vm->record.owner : NULL, &target->projects, err);
}

static int tell_git(struct context *context, struct vm *vm, const struct commits *commits, struct error **err)
{
        if (commits->note)
                event_note(context->events, "%s", commits->note);
        if (commits_apply(vm, commits, err) < 0)
                return -1;
        set_string(&vm->record.git, xstrdup(commits->hash));
        return vm_save(vm, err);
}

static int fill(struct context *context, struct vm *vm, const struct target *target, struct error **err)
{
        _cleanup_(freep) char *hash = NULL;

        if (recipe_apply(context, vm, target, &hash, err) < 0)
                return -1;
        set_string(&vm->record.recipe, TAKE_PTR(hash));
        return vm_save(vm, err);
}

/* Twice: an index that a client uses may be asked where its files are once it can be reached. */
static int ask_clients(struct context *context, struct vm *vm, const struct project *project, struct error **err)
{
        _cleanup_(strv_clear) struct strv unanswered = STRV_INIT;
        struct vm_record *record = &vm->record;

        event_begin(context->events, "clients", "asking the guest's package clients which hosts they use");
        for (int pass = 0; pass < 2; pass++) {
                if (clients_ask(vm, &record->clients, err) < 0)
                        goto fail;
                record_follow_rules(record, project);
                if (rules_change(vm, err) < 0)
                        goto fail;
        }
        record->ask_clients = false;
        if (vm_save(vm, err) < 0)
                goto fail;
        event_end(context->events, "clients", EVENT_DONE, NULL);
        egress_unanswered(project, &record->clients, &unanswered);
        for (size_t i = 0; i < unanswered.count; i++)
                event_warning(context->events, "the guest has no client for \"%s\": it allows nothing", unanswered.items[i]);
        return 0;
fail:
        event_end(context->events, "clients", EVENT_FAILED, NULL);
        return -1;
}

static int carry_out(struct context *context, struct vm *vm, const struct target *target, const struct commits *commits,
                     const char *engine, const struct plan_step *step, struct lifecycle_result *result, struct error **err)
{
        switch (step->type) {
        case PLAN_FINISH_DESTROY:
        case PLAN_DISCARD:
                return lifecycle_destroy(context, vm, err);
        case PLAN_CREATE:
                return create(context, vm, target, commits, engine, err);
        case PLAN_RESTART:
                return lifecycle_stop(context, vm, NULL, err);
        case PLAN_START:
                return start(context, vm, err);
        case PLAN_EGRESS:
                return rules_change(vm, err);
        case PLAN_GIT:
                return tell_git(context, vm, commits, err);
        case PLAN_RECIPE:
                return fill(context, vm, target, err);
        case PLAN_CLIENTS:
                return ask_clients(context, vm, &target->project, err);
        case PLAN_REPOS:
                return code_bring(context, vm, target, &result->not_set_up, err);
        case PLAN_PUBLISH:
                return publish(vm, err);
        }
        return error_set(err, ERROR_FAILED, "no such step");
}

/* Also which keys that, and the repos, need. */
static int describe_commits(const struct project *project, struct commits *out, struct error **err)
{
        _cleanup_(committer_clear) struct committer committer = COMMITTER_INIT;

        if (committer_find(&committer, err) < 0)
                return -1;
        commits_describe(&committer, project->forward_agent, out);
        if (project->forward_agent && project->keys.count == 0)
                lend_choose(project, committer.signing_key, &out->keys);
        return 0;
}

/* Is the base image another than the one that the VM was made from? What can't be found out is no reason to make it anew. */
static bool has_old_base(const struct vm *vm)
{
        _cleanup_(freep) char *base = NULL;

        return vm->exists && vm->record.base && !vm->record.image && vm->engine->base_layer &&
               vm->engine->base_layer(vm->record.user, NULL, false, NULL, &base, NULL) > 0 &&
               vm->engine->stands_on(vm->record.base, base, NULL) == 0;
}

struct observation {
        struct vm_status status;
        struct commits commits;
        struct recipe recipe;
        char *recipe_hash;
        struct plan_observed seen; /* of the VM and of the above */
};

#define OBSERVATION_INIT                                                                                                       \
        {                                                                                                                      \
                .status = VM_STATUS_INIT, .commits = COMMITS_INIT, .recipe = RECIPE_INIT                                       \
        }

static void observation_clear(struct observation *observation)
{
        vm_status_clear(&observation->status);
        commits_clear(&observation->commits);
        recipe_clear(&observation->recipe);
        free(observation->recipe_hash);
}

static int observe(const struct vm *vm, const struct target *target, struct observation *out, struct error **err)
{
        if (recipe_view_read(target, &out->recipe, err) < 0 || vm_inspect(vm, &out->status, err) < 0 ||
            describe_commits(&target->project, &out->commits, err) < 0)
                return -1;
        out->recipe_hash = recipe_hash(&out->recipe);
        out->seen = (struct plan_observed){
                .record = vm->exists ? &vm->record : NULL,
                .state = out->status.state,
                .recipe = out->recipe_hash,
                .git = out->commits.hash,
                .needed_keys = &out->commits.keys,
                .old_base = has_old_base(vm),
                .grows_disk = vm->exists && vm->engine->grows_disk,
        };
        return 0;
}

static int make_plan(const struct vm *vm, const struct target *target, struct observation *observed, struct plan *plan,
                     struct error **err)
{
        if (observe(vm, target, observed, err) < 0 || (vm->exists && line_check(&target->project, vm->engine, err) < 0))
                return -1;
        if (plan_up(&target->project, &observed->seen, plan, err) < 0) {
                if (observed->status.reason)
                        error_wrap(err, "VM '%s' is broken: %s", vm->name, observed->status.reason);
                return -1;
        }
        return 0;
}

int lifecycle_drift(const struct vm *vm, const struct target *target, struct vm_status *status, struct drift *out,
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

int lifecycle_dry_run(struct context *context, struct vm *vm, const struct target *target, struct error **err)
{
        _cleanup_(observation_clear) struct observation observed = OBSERVATION_INIT;
        _cleanup_(plan_clear) struct plan plan = PLAN_INIT;
        _cleanup_(json_decrefp) json_t *steps = json_array();

        if (make_plan(vm, target, &observed, &plan, err) < 0)
                return -1;
        for (size_t i = 0; i < plan.notes.count; i++)
                event_note(context->events, "%s", plan.notes.items[i]);
        for (size_t i = 0; i < plan.count; i++) {
                if (context->mode != OUTPUT_JSON)
                        printf("%-15s %s\n", plan_step_name(plan.steps[i].type), plan.steps[i].reason);
                json_array_append_new(steps, json_pack("{s:s, s:s}", "step", plan_step_name(plan.steps[i].type), "reason",
                                                       plan.steps[i].reason));
        }
        if (context->mode == OUTPUT_JSON) {
                recipe_view_json(&observed.recipe, steps);
                _cleanup_(freep) char *text = json_text(steps);

                puts(text);
        } else {
                recipe_view_print(&observed.recipe);
        }
        return 0;
}

/* Does one of the steps from there on open the connection by itself? A VM that is `filled` was made with its recipe in it. */
static bool has_session(const struct plan *plan, size_t from, bool filled)
{
        for (size_t i = from; i < plan->count; i++)
                if (plan->steps[i].type == PLAN_GIT || (plan->steps[i].type == PLAN_RECIPE && !filled) ||
                    plan->steps[i].type == PLAN_CLIENTS || plan->steps[i].type == PLAN_REPOS)
                        return true;
        return false;
}

/* Behind the recipe: those that were added at the end are in the VM now. */
static int follow_profiles(struct vm *vm, const struct project *project, struct error **err)
{
        struct strv *has = &vm->record.profiles;

        if (has->count == project->profiles.count || !strv_begins_with(&project->profiles, has))
                return 0;
        for (size_t i = has->count; i < project->profiles.count; i++)
                strv_add(has, project->profiles.items[i]);
        return vm_save(vm, err);
}

int lifecycle_up(struct context *context, struct vm *vm, const struct target *target, const char *engine,
                 struct lifecycle_result *out, struct error **err)
{
        _cleanup_(observation_clear) struct observation observed = OBSERVATION_INIT;
        _cleanup_(plan_clear) struct plan plan = PLAN_INIT;
        bool followed = false;
        bool filled = false;
        bool secrets = false;
        pid_t warming = 0;
        int status = 0;

        *out = (struct lifecycle_result){ .how = "running" };
        if (make_plan(vm, target, &observed, &plan, err) < 0)
                return -1;
        for (size_t i = 0; i < plan.notes.count; i++)
                event_note(context->events, "%s", plan.notes.items[i]);
        for (size_t i = 0; i < plan.count; i++) {
                const struct plan_step *step = &plan.steps[i];

                /* Behind the stop: killed in between, the next run still sees that what runs has the old ports. */
                if (step->type != PLAN_RESTART && !followed) {
                        status = follow(vm, target, &observed.commits, plan.running, err);
                        if (status < 0)
                                break;
                        followed = true;
                }
                if (step->type == PLAN_RECIPE && filled)
                        continue;
                /* Before what may need them. */
                if (step->type == PLAN_REPOS) {
                        secrets_bring_softly(context, vm, &target->project);
                        secrets = true;
                }
                if (step->type == PLAN_CREATE)
                        out->how = "created";
                else if (step->type == PLAN_START && streq(out->how, "running") && !plan.running)
                        out->how = "started";
                status = carry_out(context, vm, target, &observed.commits, engine, step, out, err);
                if (status < 0)
                        break;
                if (step->type == PLAN_CREATE)
                        filled = vm->record.layer != NULL;
                if (step->type == PLAN_START && vm->forked)
                        out->how = "forked";
                if (step->type == PLAN_START && !has_session(&plan, i + 1, filled) && !secrets_wanted(&target->project))
                        session_warm_begin(vm, &warming);
        }
        if (status == 0 && !secrets)
                secrets_bring_softly(context, vm, &target->project);
        if (status == 0)
                status = follow_profiles(vm, &target->project, err);
        if (status == 0 && vm->record.intent != INTENT_NONE)
                status = vm_intend(vm, INTENT_NONE, err);
        session_warm_await(warming);
        return status;
}
