#include "plan/plan.h"

#include "lib/text.h"

static const char *const names[] = {
        [PLAN_FINISH_DESTROY] = "finish-destroy",
        [PLAN_DISCARD] = "discard",
        [PLAN_CREATE] = "create",
        [PLAN_RESTART] = "restart",
        [PLAN_START] = "start",
        [PLAN_GIT] = "git",
        [PLAN_RECIPE] = "provision",
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

static void add_step(struct plan *plan, enum plan_step_type type, const char *format, ...) _printf_(3, 4);

static void add_step(struct plan *plan, enum plan_step_type type, const char *format, ...)
{
        va_list args;

        plan->steps = xreallocarray(plan->steps, plan->count + 1, sizeof(*plan->steps));
        va_start(args, format);
        plan->steps[plan->count++] = (struct plan_step){ .type = type, .reason = xvasprintf(format, args) };
        va_end(args);
}

/* --- what the record has otherwise than the configuration */

static bool has_repo(const struct project *project, const char *url)
{
        for (size_t i = 0; i < project->repo_count; i++)
                if (streq(project->repos[i].url, url))
                        return true;
        return false;
}

static bool has_port(const struct vm_record *record, const struct project_port *port)
{
        for (size_t i = 0; i < record->port_count; i++)
                if (record->ports[i].host == port->host && record->ports[i].guest == port->guest)
                        return true;
        return false;
}

/* Their order means nothing, and neither side has one twice. */
static bool same_ports(const struct project *wanted, const struct vm_record *record)
{
        if (wanted->port_count != record->port_count)
                return false;
        for (size_t i = 0; i < wanted->port_count; i++)
                if (!has_port(record, &wanted->ports[i]))
                        return false;
        return true;
}

/* Theirs does: a later profile builds on an earlier one. */
static bool same_profiles(const struct project *wanted, const struct vm_record *record)
{
        if (wanted->profiles.count != record->profiles.count)
                return false;
        for (size_t i = 0; i < wanted->profiles.count; i++)
                if (!streq(wanted->profiles.items[i], record->profiles.items[i]))
                        return false;
        return true;
}

static void note_change(struct plan *plan, const char *what, const char *has, const char *wanted, const char *name)
{
        strv_addf(&plan->notes, "%s: VM '%s' has %s, the configuration says %s; to change it: machine rebuild %s", what, name,
                  has, wanted, name);
}

static void note_sizes(const struct project *wanted, const struct vm_record *record, struct plan *plan)
{
        const struct {
                const char *what;
                int64_t has, wanted;
                bool bytes;
        } sizes[] = {
                { "cpus", record->cpus, wanted->cpus, false },
                { "memory", record->memory_bytes, wanted->memory_bytes, true },
                { "disk", record->disk_bytes, wanted->disk_bytes, true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                _cleanup_(freep) char *has =
                        sizes[i].bytes ? text_format_size(sizes[i].has) : xasprintf("%lld", (long long)sizes[i].has);
                _cleanup_(freep) char *now =
                        sizes[i].bytes ? text_format_size(sizes[i].wanted) : xasprintf("%lld", (long long)sizes[i].wanted);

                if (sizes[i].has != sizes[i].wanted)
                        note_change(plan, sizes[i].what, has, now, wanted->name);
        }
}

static void note_drift(const struct project *wanted, const struct vm_record *record, struct plan *plan)
{
        note_sizes(wanted, record, plan);
        if (!streq(wanted->shell, record->shell))
                note_change(plan, "shell", record->shell, wanted->shell, wanted->name);
        if (!streq_ptr(wanted->image, record->image) || !streq_ptr(wanted->image_digest, record->image_digest))
                note_change(plan, "image", record->image ? record->image : "its engine's own",
                            wanted->image ? wanted->image : "none", wanted->name);
        if (!streq(wanted->engine, "auto") && !streq(wanted->engine, record->engine))
                note_change(plan, "engine", record->engine, wanted->engine, wanted->name);
        if (!same_profiles(wanted, record)) {
                _cleanup_(freep) char *has = record->profiles.count ? strv_join(&record->profiles, ", ") : xstrdup("none");
                _cleanup_(freep) char *now = wanted->profiles.count ? strv_join(&wanted->profiles, ", ") : xstrdup("none");

                note_change(plan, "profiles", has, now, wanted->name);
        }
        for (size_t i = 0; i < record->repos.count; i++)
                if (!has_repo(wanted, record->repos.items[i]))
                        strv_addf(&plan->notes, "repos: '%s' is no longer in the configuration; VM '%s' keeps its clone",
                                  record->repos.items[i], wanted->name);
}

/* --- the steps */

static void plan_new(const struct project *wanted, const struct plan_observed *observed, struct plan *plan)
{
        const char *name = wanted->name;

        add_step(plan, PLAN_CREATE, "there is no VM '%s' yet", name);
        add_step(plan, PLAN_START, "VM '%s' is new", name);
        if (observed->recipe)
                add_step(plan, PLAN_RECIPE, "VM '%s' is new and has nothing of its recipe", name);
        if (wanted->repo_count > 0)
                add_step(plan, PLAN_REPOS, "VM '%s' is new and has no code", name);
        add_step(plan, PLAN_PUBLISH, "so that ssh knows 'machine-%s'", name);
}

/* The reason to stop a running VM first, or NULL. Both are settings of its network process, read when that starts. */
static const char *restart_reason(const struct project *wanted, const struct vm_record *record)
{
        if (!same_ports(wanted, record))
                return "ports";
        return wanted->lan != record->lan ? "lan" : NULL;
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
        /* What the guest still has is known only in there; the step itself is quick where nothing is missing. */
        if (record->intent == INTENT_SETUP)
                add_step(plan, PLAN_REPOS, "the set-up of VM '%s' was interrupted", wanted->name);
        else
                add_step(plan, PLAN_REPOS, "to bring in what VM '%s' lacks", wanted->name);
}

static void plan_existing(const struct project *wanted, const struct plan_observed *observed, struct plan *plan)
{
        const struct vm_record *record = observed->record;
        const char *changed = restart_reason(wanted, record);
        const char *name = wanted->name;
        bool running = observed->state == VM_RUNNING;

        plan->running = running && !changed;
        if (running && changed)
                add_step(plan, PLAN_RESTART, "'%s' changed in the configuration", changed);
        if (running && changed)
                add_step(plan, PLAN_START, "VM '%s' is stopped for that", name);
        else if (!running)
                add_step(plan, PLAN_START, "VM '%s' is %s", name, vm_state_name(observed->state));
        else if (record->intent == INTENT_SETUP)
                add_step(plan, PLAN_START, "the first start of VM '%s' may have been interrupted", name);
        if (!streq_ptr(record->git, observed->git))
                add_step(plan, PLAN_GIT,
                         record->git ? "who commits here, or the signing key, changed"
                                     : "git in the guest is to know who commits");
        if (observed->recipe && !streq_ptr(record->recipe, observed->recipe))
                add_step(plan, PLAN_RECIPE, record->recipe ? "the recipe changed" : "the recipe is not applied yet");
        plan_repos(wanted, record, plan);
        if (!running || changed || record->intent == INTENT_SETUP || wanted->forward_agent != record->forward_agent)
                add_step(plan, PLAN_PUBLISH, "so that ssh knows 'machine-%s'", name);
        note_drift(wanted, record, plan);
}

static int refuse(const struct project *wanted, const char *why, struct error **err)
{
        error_set(err, ERROR_ENGINE, "VM '%s' %s", wanted->name, why);
        return error_hint(err, "machine rebuild %s", wanted->name);
}

static int plan_steps(const struct project *wanted, const struct plan_observed *observed, struct plan *plan, struct error **err)
{
        const struct vm_record *record = observed->record;

        if (!record && observed->state != VM_ABSENT) {
                error_set(err, ERROR_ENGINE, "VM '%s' is %s, and nothing is recorded of it", wanted->name,
                          vm_state_name(observed->state));
                return error_hint(err, "machine doctor");
        }
        if (!record) {
                plan_new(wanted, observed, plan);
                return 0;
        }
        /* Nobody has worked in these: whatever is left of them may go. */
        if (record->intent == INTENT_DESTROY)
                add_step(plan, PLAN_FINISH_DESTROY, "the removal of VM '%s' was interrupted", wanted->name);
        else if (record->intent == INTENT_CREATE)
                add_step(plan, PLAN_DISCARD, "the making of VM '%s' was interrupted", wanted->name);
        else if (observed->state == VM_BROKEN)
                return refuse(wanted, "can't be used as it is", err);
        else if (observed->state == VM_ABSENT)
                return refuse(wanted, "has lost its disk", err);

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
