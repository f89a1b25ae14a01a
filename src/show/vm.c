#include "show/vm.h"

#include "show/recipe.h"

struct sizes {
        int64_t cpus, memory_bytes, disk_bytes;
};

/* Returns the sizes of the VM, or those that its project would give it when there is none. */
static struct sizes sizes_of(const struct inventory_entry *entry)
{
        const struct vm_record *record = &entry->vm.record;
        const struct project *project = entry->project;

        if (entry->vm.exists)
                return (struct sizes){ record->cpus, record->memory_bytes, record->disk_bytes };
        return project ? (struct sizes){ project->cpus, project->memory_bytes, project->disk_bytes } : (struct sizes){ 0 };
}

static json_t *profiles_json(const struct inventory_entry *entry)
{
        const struct strv none = STRV_INIT;

        return json_strings(entry->vm.exists ? &entry->vm.record.profiles : entry->project ? &entry->project->profiles : &none);
}

static json_t *ports_json(const struct inventory_entry *entry)
{
        const struct vm_record *record = &entry->vm.record;
        json_t *ports = json_array();

        for (size_t i = 0; entry->vm.exists && i < record->port_count; i++)
                json_array_append_new(ports,
                                      json_pack("{s:i, s:i}", "host", record->ports[i].host, "guest", record->ports[i].guest));
        return ports;
}

static json_t *refused_json(const struct inventory_entry *entry)
{
        int64_t refused = inventory_refused(entry);

        return refused < 0 ? json_null() : json_integer(refused);
}

static json_t *weaker_lines_json(const struct inventory_entry *entry)
{
        _cleanup_(strv_clear) struct strv ids = STRV_INIT;

        if (entry->vm.exists)
                engine_weaker_lines(entry->vm.engine, entry->vm.record.lan, &ids, NULL);
        return json_strings(&ids);
}

json_t *show_entry(const struct inventory_entry *entry)
{
        const struct vm_record *record = entry->vm.exists ? &entry->vm.record : NULL;
        const struct sizes sizes = sizes_of(entry);
        _cleanup_(freep) char *alias = record ? vm_alias(entry->name) : NULL;
        _cleanup_(strv_clear) struct strv repos = STRV_INIT;

        inventory_repos(entry, &repos);
        return json_pack("{s:s, s:s, s:s?, s:o, s:o, s:s?, s:I, s:I, s:I, s:I, s:I, s:s?, s:s?, s:o, s:o, s:o, s:o, s:s?}",
                         "name", entry->name, "state", inventory_state(entry), "engine", record ? record->engine : NULL,
                         "profiles", profiles_json(entry), "repos", json_strings(&repos), "ssh_alias", alias, "cpus",
                         (json_int_t)sizes.cpus, "memory_bytes", (json_int_t)sizes.memory_bytes, "disk_bytes",
                         (json_int_t)sizes.disk_bytes, "memory_used_bytes", (json_int_t)entry->status.memory_bytes,
                         "disk_used_bytes", (json_int_t)entry->status.disk_bytes, "created", record ? record->created : NULL,
                         "fork_of", record ? record->fork_of : NULL, "ports", ports_json(entry), "refused", refused_json(entry),
                         "weaker_lines", weaker_lines_json(entry), "lacks", show_lacks(&entry->vm.record.lacks), "reason",
                         entry->trouble ? entry->trouble : entry->status.reason);
}

static json_t *drift_json(const struct drift *drift)
{
        json_t *array = json_array();

        for (size_t i = 0; i < drift->count; i++)
                json_array_append_new(array, json_pack("{s:s, s:s?, s:s?, s:s}", "what", drift->items[i].what, "has",
                                                       drift->items[i].has, "wanted", drift->items[i].wanted, "remedy",
                                                       drift_remedy_name(drift->items[i].remedy)));
        return array;
}

json_t *show_status(const struct vm *vm, const struct vm_status *status, const struct drift *drift, bool compared)
{
        bool making = vm_is_being_made(vm);

        return json_pack("{s:s, s:s, s:s?, s:b, s:s?, s:b, s:o, s:o}", "name", vm->name, "state",
                         making       ? VM_CREATING
                         : vm->exists ? vm_state_name(status->state)
                                      : "absent",
                         "reason", status->reason, "set_up", vm->exists && vm->record.intent == INTENT_NONE, "created",
                         vm->exists ? vm->record.created : NULL, "compared", compared, "lacks", show_lacks(&vm->record.lacks),
                         "drift", drift_json(drift));
}
