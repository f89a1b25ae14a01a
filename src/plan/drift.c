#include "plan/drift.h"

#include "config/egress.h"
#include "config/key-hosts.h"
#include "config/recipe-lack.h"
#include "lib/park.h"
#include "lib/text.h"

static const char *const names[] = {
        [DRIFT_UP] = "up",
        [DRIFT_START] = "start",
        [DRIFT_REBUILD] = "rebuild",
        [DRIFT_NONE] = "none",
};

const char *drift_remedy_name(enum drift_remedy remedy)
{
        return names[remedy];
}

void drift_clear(struct drift *drift)
{
        for (size_t i = 0; i < drift->count; i++) {
                free(drift->items[i].has);
                free(drift->items[i].wanted);
        }
        free(drift->items);
        *drift = (struct drift)DRIFT_INIT;
}

static void add(struct drift *out, const char *what, const char *has, const char *wanted, enum drift_remedy remedy)
{
        out->items = xreallocarray(out->items, out->count + 1, sizeof(*out->items));
        out->items[out->count++] = (struct drift_item){
                .what = what,
                .has = xstrdup(has),
                .wanted = xstrdup(wanted),
                .remedy = remedy,
        };
}

static void add_if(struct drift *out, const char *what, const char *has, const char *wanted, enum drift_remedy remedy)
{
        if (!streq_ptr(has, wanted))
                add(out, what, has, wanted, remedy);
}

/* --- what is in it */

/* `when_empty` may be NULL. */
static char *list_text(const struct strv *list, const char *when_empty)
{
        return list->count > 0 ? strv_join(list, ", ") : xstrdup(when_empty);
}

/* Steps can be added to a VM, but what a profile has installed isn't removed again, and a later profile builds on an earlier
 * one. */
static void find_profiles(const struct project *wanted, const struct vm_record *record, struct drift *out)
{
        _cleanup_(freep) char *has = list_text(&record->profiles, NULL);
        _cleanup_(freep) char *now = list_text(&wanted->profiles, NULL);

        add_if(out, "profiles", has, now, strv_begins_with(&wanted->profiles, &record->profiles) ? DRIFT_UP : DRIFT_REBUILD);
}

static bool has_repo(const struct project *project, const char *url)
{
        for (size_t i = 0; i < project->repo_count; i++)
                if (streq(project->repos[i].url, url))
                        return true;
        return false;
}

static void find_lacks(const struct vm_record *record, struct drift *out)
{
        for (size_t i = 0; i < record->lacks.count; i++)
                add(out, DRIFT_LACKS, "failed", record->lacks.items[i], DRIFT_UP);
}

static void find_repos(const struct project *wanted, const struct vm_record *record, struct drift *out)
{
        for (size_t i = 0; i < wanted->repo_count; i++)
                if (!strv_contains(&record->repos, wanted->repos[i].url))
                        add(out, "repos", NULL, wanted->repos[i].url, DRIFT_UP);
        for (size_t i = 0; i < record->repos.count; i++)
                if (!has_repo(wanted, record->repos.items[i]))
                        add(out, "repos", record->repos.items[i], NULL, DRIFT_NONE);
}

/* --- its network, and how it is reached */

/* The order of ports means nothing. */
static char *ports_text(struct strv *ports)
{
        strv_sort(ports);
        return list_text(ports, NULL);
}

static void find_ports(const struct project *wanted, const struct vm_record *record, struct drift *out)
{
        _cleanup_(strv_clear) struct strv has = STRV_INIT;
        _cleanup_(strv_clear) struct strv now = STRV_INIT;
        _cleanup_(freep) char *has_text = NULL;
        _cleanup_(freep) char *now_text = NULL;

        for (size_t i = 0; i < record->port_count; i++)
                strv_addf(&has, "%u:%u", record->ports[i].host, record->ports[i].guest);
        for (size_t i = 0; i < wanted->port_count; i++)
                strv_addf(&now, "%u:%u", wanted->ports[i].host, wanted->ports[i].guest);
        has_text = ports_text(&has);
        now_text = ports_text(&now);
        add_if(out, "ports", has_text, now_text, DRIFT_UP);
}

static char *egress_text(const char *mode, const struct strv *rules)
{
        _cleanup_(freep) char *list = strv_join(rules, ", ");

        return rules->count > 0 ? xasprintf("%s %s", mode ? mode : "open", list) : xstrdup(mode ? mode : "open");
}

static void find_egress(const struct project *wanted, const struct vm_record *record, struct drift *out)
{
        _cleanup_(strv_clear) struct strv rules = STRV_INIT;
        _cleanup_(strv_clear) struct strv asked = STRV_INIT;
        _cleanup_(freep) char *has = egress_text(record->egress, &record->allow);
        _cleanup_(freep) char *list = NULL;
        _cleanup_(freep) char *now = NULL;

        egress_rules(wanted, &record->clients, &rules);
        now = egress_text(wanted->egress, &rules);
        add_if(out, "egress", has, now, DRIFT_UP);
        /* Once there is code in the VM, its clients may say what the code wants. */
        if (record->ask_clients || record->clients.count > 0)
                return;
        egress_unanswered(wanted, &record->clients, &asked);
        list = strv_join(&asked, ", ");
        if (asked.count > 0)
                add(out, "allow", NULL, list, DRIFT_REBUILD);
}

static void find_keys(const struct project *wanted, const struct plan_observed *observed, struct drift *out)
{
        static const struct strv none = STRV_INIT;
        const struct strv *needed = observed->needed_keys ? observed->needed_keys : &none;
        _cleanup_(freep) char *has = list_text(vm_record_keys(observed->record), "all");
        _cleanup_(freep) char *now = list_text(wanted->keys.count > 0 ? &wanted->keys : needed, "all");

        add_if(out, "keys", has, now, DRIFT_UP);
}

static void find_key_hosts(const struct project *wanted, const struct vm_record *record, struct drift *out)
{
        _cleanup_(strv_clear) struct strv hosts = STRV_INIT;
        _cleanup_(freep) char *has = list_text(&record->key_hosts, "everywhere");
        _cleanup_(freep) char *now = NULL;

        key_hosts_expand(wanted, &hosts);
        now = list_text(&hosts, "everywhere");
        add_if(out, "key_hosts", has, now, DRIFT_UP);
}

static const char *yes_or_no(bool value)
{
        return value ? "true" : "false";
}

bool drift_has(const struct drift *drift, const char *what)
{
        for (size_t i = 0; i < drift->count; i++)
                if (streq(drift->items[i].what, what))
                        return true;
        return false;
}

const char *drift_restarts(const struct drift *drift)
{
        if (drift_has(drift, "ports"))
                return "ports";
        return drift_has(drift, "lan") ? "lan" : NULL;
}

/* --- sizes: a VM that is stopped gets them with this start */

static void find_sizes(const struct project *wanted, const struct plan_observed *observed, bool stays_running,
                       struct drift *out)
{
        const struct vm_record *record = observed->record;
        enum drift_remedy next = stays_running ? DRIFT_START : DRIFT_UP;
        bool grows = wanted->disk_bytes > record->disk_bytes && observed->grows_disk;
        const struct {
                const char *what;
                int64_t has, wanted;
                bool bytes;
                enum drift_remedy remedy;
        } sizes[] = {
                { "cpus", record->cpus, wanted->cpus, false, next },
                { "memory", record->memory_bytes, wanted->memory_bytes, true, next },
                { "disk", record->disk_bytes, wanted->disk_bytes, true, grows ? next : DRIFT_REBUILD },
        };

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                bool bytes = sizes[i].bytes;
                _cleanup_(freep) char *has = bytes ? text_format_size(sizes[i].has) : xasprintf("%jd", (intmax_t)sizes[i].has);
                _cleanup_(freep) char *now =
                        bytes ? text_format_size(sizes[i].wanted) : xasprintf("%jd", (intmax_t)sizes[i].wanted);

                if (sizes[i].has != sizes[i].wanted)
                        add(out, sizes[i].what, has, now, sizes[i].remedy);
        }
}

void drift_find(const struct project *wanted, const struct plan_observed *observed, struct drift *out)
{
        const struct vm_record *record = observed->record;

        drift_clear(out);
        find_ports(wanted, record, out);
        add_if(out, "lan", yes_or_no(record->lan), yes_or_no(wanted->lan), DRIFT_UP);
        find_sizes(wanted, observed, vm_state_is_alive(observed->state) && !drift_restarts(out), out);
        add_if(out, "forward_agent", yes_or_no(record->forward_agent), yes_or_no(wanted->forward_agent), DRIFT_UP);
        find_keys(wanted, observed, out);
        find_key_hosts(wanted, record, out);
        add_if(out, "confirm", yes_or_no(record->confirm), yes_or_no(wanted->confirm), DRIFT_UP);
        find_egress(wanted, record, out);
        add_if(out, "park_after", record->park_after ? record->park_after : PARK_AFTER_DEFAULT, wanted->park_after, DRIFT_UP);
        add_if(out, "wake_on", record->wake_on ? record->wake_on : WAKE_LOCAL, wanted->wake_on, DRIFT_UP);
        add_if(out, "shell", record->shell, wanted->shell, DRIFT_REBUILD);
        if (!streq_ptr(wanted->image, record->image) || !streq_ptr(wanted->image_digest, record->image_digest))
                add(out, "image", record->image, wanted->image, DRIFT_REBUILD);
        if (!streq(wanted->engine, "auto"))
                add_if(out, "engine", record->engine, wanted->engine, DRIFT_REBUILD);
        if (observed->old_base)
                add(out, "base image", "older", "current", DRIFT_REBUILD);
        find_profiles(wanted, record, out);
        if (observed->recipe && !streq_ptr(record->recipe, observed->recipe))
                add(out, "recipe", record->recipe ? "older" : NULL, "configured", DRIFT_UP);
        find_lacks(record, out);
        if (!streq_ptr(record->git, observed->git))
                add(out, "git", record->git ? "other" : NULL, "host", DRIFT_UP);
        find_repos(wanted, record, out);
}

static char *remedy_text(const struct drift_item *item, const char *name)
{
        switch (item->remedy) {
        case DRIFT_UP:
                return xasprintf("run: machine up %s", name);
        case DRIFT_START:
                return xasprintf("takes effect at the next start: machine restart %s", name);
        case DRIFT_REBUILD:
                return xasprintf("only a new VM gets it: machine rebuild %s", name);
        case DRIFT_NONE:
                break;
        }
        return xstrdup("what is there stays");
}

/* What people read in place of words that programs read. NULL = nothing. */
static const struct {
        const char *what, *word, *has, *wanted;
} spoken[] = {
        { "repos", NULL, "no clone", "no such repo" },
        { "image", NULL, "its engine's own", "none" },
        { "allow", NULL, "not asked its package clients before there was code", "none" },
        { "git", NULL, "no committer", "none" },
        { "git", "other", "another committer or signing key", NULL },
        { "git", "host", NULL, "this computer's" },
};

static const char *shown(const char *what, const char *word, bool has)
{
        for (size_t i = 0; i < ARRAY_SIZE(spoken); i++)
                if (streq(spoken[i].what, what) && streq_ptr(spoken[i].word, word))
                        return has ? spoken[i].has : spoken[i].wanted;
        return word ? word : "none";
}

char *drift_text(const struct drift_item *item, const char *name)
{
        _cleanup_(freep) char *remedy = remedy_text(item, name);

        /* What these two have and want are hashes, which tell nobody anything. */
        if (streq(item->what, "recipe"))
                return xasprintf("recipe: %s; %s", !item->has ? "not applied yet" : "has changed", remedy);
        if (streq(item->what, "base image"))
                return xasprintf("base image: this version has a newer one; %s", remedy);
        if (streq(item->what, DRIFT_LACKS)) {
                _cleanup_(freep) char *step = recipe_lack_step(item->wanted);

                return xasprintf(
                        "recipe: optional step '%s' (%s) failed, so VM '%s' goes without it; to try again: machine up %s", step,
                        recipe_lack_title(item->wanted), name, name);
        }
        return xasprintf("%s: VM '%s' has %s, the configuration says %s; %s", item->what, name,
                         shown(item->what, item->has, true), shown(item->what, item->wanted, false), remedy);
}
