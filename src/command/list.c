#include "command/lifecycle.h"
#include "command/result.h"
#include "lib/file.h"
#include "lib/text.h"
#include "term/table.h"

struct list_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct list_options),
        { 0 },
};

/* A line of the list: a VM, a project without one, or a record that can't be read. */
struct entry {
        const char *name;
        const struct project *project; /* NULL = not configured (any more), or by a checkout */
        struct vm vm;
        struct vm_status status;
        char *trouble; /* why the state isn't known; NULL = it is */
};

static void entry_clear(struct entry *entry)
{
        vm_clear(&entry->vm);
        vm_status_clear(&entry->status);
        free(entry->trouble);
}

/* One VM that can't be asked must not hide the others: it is listed with what went wrong. */
static void entry_look(struct entry *entry)
{
        _cleanup_(error_freep) struct error *error = NULL;

        entry->vm = (struct vm)VM_INIT;
        entry->status = (struct vm_status)VM_STATUS_INIT;
        if (vm_open(&entry->vm, entry->name, &error) < 0 ||
            (entry->vm.exists && vm_inspect(&entry->vm, &entry->status, &error) < 0))
                entry->trouble = error_text(error);
}

static const char *entry_state(const struct entry *entry)
{
        return entry->trouble ? "unknown" : vm_state_name(entry->status.state);
}

static void project_repos(const struct project *project, struct strv *out)
{
        for (size_t i = 0; i < project->repo_count; i++)
                strv_add(out, project->repos[i].url);
}

static json_t *text_or_null(const char *text)
{
        return text ? json_string(text) : json_null();
}

static json_t *entry_json(const struct entry *entry)
{
        const struct vm_record *record = entry->vm.exists ? &entry->vm.record : NULL;
        _cleanup_(strv_clear) struct strv repos = STRV_INIT;
        _cleanup_(strv_clear) struct strv weaker = STRV_INIT;
        _cleanup_(freep) char *alias = vm_alias(entry->name);
        const struct strv none = STRV_INIT;
        json_t *value = json_object();

        if (record)
                strv_add_all(&repos, &record->repos);
        else if (entry->project)
                project_repos(entry->project, &repos);
        json_object_set_new(value, "name", json_string(entry->name));
        json_object_set_new(value, "state", json_string(entry_state(entry)));
        json_object_set_new(value, "engine", text_or_null(record ? record->engine : NULL));
        json_object_set_new(value, "profiles",
                            json_strings(record           ? &record->profiles
                                         : entry->project ? &entry->project->profiles
                                                          : &none));
        json_object_set_new(value, "repos", json_strings(&repos));
        json_object_set_new(value, "ssh_alias", record ? json_string(alias) : json_null());
        json_object_set_new(value, "cpus", json_integer(record ? record->cpus : entry->project ? entry->project->cpus : 0));
        json_object_set_new(value, "memory_bytes",
                            json_integer(record           ? record->memory_bytes
                                         : entry->project ? entry->project->memory_bytes
                                                          : 0));
        json_object_set_new(value, "disk_bytes",
                            json_integer(record           ? record->disk_bytes
                                         : entry->project ? entry->project->disk_bytes
                                                          : 0));
        json_object_set_new(value, "memory_used_bytes", json_integer(entry->status.memory_bytes));
        json_object_set_new(value, "disk_used_bytes", json_integer(entry->status.disk_bytes));
        json_object_set_new(value, "created", text_or_null(record ? record->created : NULL));
        if (record)
                engine_weaker_lines(entry->vm.engine, record->lan, &weaker, NULL);
        json_object_set_new(value, "weaker_lines", json_strings(&weaker));
        json_object_set_new(value, "reason", text_or_null(entry->trouble ? entry->trouble : entry->status.reason));
        return value;
}

/* "used / allowed", for people. */
static char *usage(int64_t used, int64_t allowed)
{
        _cleanup_(freep) char *left = used > 0 ? text_format_size(used) : xstrdup("-");
        _cleanup_(freep) char *right = text_format_size(allowed);

        return xasprintf("%s / %s", left, right);
}

static void entry_row(const struct entry *entry, struct table *table)
{
        const struct vm_record *record = entry->vm.exists ? &entry->vm.record : NULL;
        const struct strv *profiles = record ? &record->profiles : entry->project ? &entry->project->profiles : NULL;
        _cleanup_(strv_clear) struct strv repos = STRV_INIT;
        _cleanup_(freep) char *profile_text = profiles && profiles->count > 0 ? strv_join(profiles, ",") : NULL;
        _cleanup_(freep) char *memory = record ? usage(entry->status.memory_bytes, record->memory_bytes) : NULL;
        _cleanup_(freep) char *disk = record ? usage(entry->status.disk_bytes, record->disk_bytes) : NULL;
        _cleanup_(freep) char *alias = record ? vm_alias(entry->name) : NULL;
        _cleanup_(freep) char *repo = NULL;

        if (record)
                strv_add_all(&repos, &record->repos);
        else if (entry->project)
                project_repos(entry->project, &repos);
        if (repos.count > 0 && streq(repos.items[0], ".") && record)
                repo = xstrdup(record->owner);
        else if (repos.count > 0)
                repo = xstrdup(repos.items[0]);
        if (repos.count > 1)
                set_string(&repo, xasprintf("%s +%zu", repo, repos.count - 1));
        table_add(table, (const char *const[]){ entry->name, entry_state(entry), record ? record->engine : NULL, profile_text,
                                                memory, disk, alias, repo });
}

static int collect_names(const struct projects *projects, struct strv *names, struct error **err)
{
        if (vm_list(names, err) < 0)
                return -1;
        for (size_t i = 0; i < projects->count; i++)
                if (!strv_contains(names, projects->items[i].name))
                        strv_add(names, projects->items[i].name);
        strv_sort(names);
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        static const char *const headings[] = { "NAME", "STATE", "ENGINE", "PROFILES", "MEMORY", "DISK", "SSH", "REPO", NULL };
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        json_t *array = json_array();

        /* Broken configuration hides no VM. */
        if (projects_read(&projects, err) < 0) {
                event_warning(context->events, "the configuration can't be read, so only VMs are listed: machine validate");
                error_free(*err);
                *err = NULL;
        }
        if (collect_names(&projects, &names, err) < 0) {
                json_decref(array);
                return -1;
        }
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(entry_clear) struct entry entry = { .name = names.items[i],
                                                              .project = projects_find(&projects, names.items[i]) };

                entry_look(&entry);
                if (entry.trouble)
                        event_warning(context->events, "VM '%s': %s", entry.name, entry.trouble);
                if (context->mode == OUTPUT_JSON)
                        json_array_append_new(array, entry_json(&entry));
                else
                        entry_row(&entry, table);
        }
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON) {
                result_json(array);
                return 0;
        }
        json_decref(array);
        if (names.count > 0)
                table_print(table, stdout);
        else if (!context->quiet)
                fputs("no projects and no VMs yet: machine init\n", stderr);
        return 0;
}

const struct command command_list = {
        .name = "list",
        .operands = "",
        .summary = "show all projects and VMs",
        .text = "MEMORY and DISK are what the host holds of it, and what the guest may use.",
        .options = options,
        .options_size = sizeof(struct list_options),
        .operands_most = 0,
        .run = run,
};
