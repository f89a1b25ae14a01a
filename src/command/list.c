#include "command/command.h"
#include "command/list-watch.h"
#include "command/result.h"
#include "lib/text.h"
#include "operation/inventory.h"
#include "show/vm.h"
#include "vm/vm.h"

struct list_options {
        struct common_options common;
        bool watch;
};

static const struct option options[] = {
        OPTION(struct list_options, watch, "watch", 'w', OPTION_FLAG, NULL, "then print a line for each change, until Ctrl-C"),
        COMMON_OPTIONS(struct list_options),
        { 0 },
};

/* "used / allowed", for people. */
static char *usage(int64_t used, int64_t allowed)
{
        _cleanup_(freep) char *left = used > 0 ? text_format_size(used) : xstrdup("-");
        _cleanup_(freep) char *right = text_format_size(allowed);

        return xasprintf("%s / %s", left, right);
}

static void entry_row(const struct inventory_entry *entry, struct table *table)
{
        const struct vm_record *record = entry->vm.exists ? &entry->vm.record : NULL;
        const struct strv *profiles = record ? &record->profiles : entry->project ? &entry->project->profiles : NULL;
        _cleanup_(strv_clear) struct strv repos = STRV_INIT;
        _cleanup_(freep) char *profile_text = profiles && profiles->count > 0 ? strv_join(profiles, ",") : NULL;
        _cleanup_(freep) char *memory = record ? usage(entry->status.memory_bytes, record->memory_bytes) : NULL;
        _cleanup_(freep) char *disk = record ? usage(entry->status.disk_bytes, record->disk_bytes) : NULL;
        _cleanup_(freep) char *alias = record ? vm_alias(entry->name) : NULL;
        _cleanup_(freep) char *repo = NULL;

        inventory_repos(entry, &repos);
        if (repos.count > 0 && streq(repos.items[0], ".") && record)
                repo = xstrdup(vm_record_checkout(record) ? vm_record_checkout(record) : record->owner);
        else if (repos.count > 0)
                repo = xstrdup(repos.items[0]);
        if (repos.count > 1)
                set_string(&repo, xasprintf("%s +%zu", repo, repos.count - 1));
        if (record && record->fork_of)
                set_string(&repo, xasprintf("%s%sfork of %s", repo ? repo : "", repo ? ", " : "", record->fork_of));
        table_add(table, (const char *const[]){ entry->name, inventory_state(entry), record ? record->engine : NULL,
                                                profile_text, memory, disk, alias, repo });
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        static const char *const headings[] = { "NAME", "STATE", "ENGINE", "PROFILES", "MEMORY", "DISK", "SSH", "REPO", NULL };
        const struct list_options *given = invocation->options;
        _cleanup_(inventory_clear) struct inventory inventory = INVENTORY_INIT;
        _cleanup_(table_freep) struct table *table = table_new(headings);
        json_t *array;

        if (inventory_take(&context->front, &inventory, err) < 0)
                return -1;
        array = json_array();
        for (size_t i = 0; i < inventory.count; i++) {
                json_array_append_new(array, show_entry(&inventory.items[i]));
                entry_row(&inventory.items[i], table);
        }
        result_list(context, json_incref(array), table, "no projects and no VMs yet: machine init");
        if (given->watch)
                return list_watch(context, array, err);
        json_decref(array);
        return 0;
}

const struct command command_list = {
        .name = "list",
        .operands = "",
        .summary = "show all projects and VMs",
        .text = "MEMORY and DISK are what the VM takes on the host, and what the guest may use. With --watch it looks again every two\n"
                "seconds, and prints what has changed: NAME: WHAT FROM -> TO. It asks no guest.",
        .options = options,
        .options_size = sizeof(struct list_options),
        .operands_most = 0,
        .run = run,
};
