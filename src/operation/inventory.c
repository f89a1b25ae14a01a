#include "operation/inventory.h"

#include "config/recipe-lack.h"
#include "vm/account.h"

static void entry_clear(struct inventory_entry *entry)
{
        free(entry->name);
        vm_clear(&entry->vm);
        vm_status_clear(&entry->status);
        free(entry->trouble);
}

void inventory_clear(struct inventory *inventory)
{
        for (size_t i = 0; i < inventory->count; i++)
                entry_clear(&inventory->items[i]);
        free(inventory->items);
        projects_clear(&inventory->projects);
        *inventory = (struct inventory)INVENTORY_INIT;
}

static void look(struct inventory_entry *entry)
{
        _cleanup_(error_freep) struct error *error = NULL;

        if (vm_open(&entry->vm, entry->name, &error) < 0) {
                entry->trouble = error_text(error);
                entry->broken = true;
        }
        entry->making = vm_is_being_made(&entry->vm);
}

static void inspect_all(struct inventory *inventory)
{
        _cleanup_(freep) struct vm_inspection *asked = xcalloc(inventory->count + 1, sizeof(*asked));

        for (size_t i = 0; i < inventory->count; i++)
                asked[i].vm = &inventory->items[i].vm;
        vm_inspect_many(asked, inventory->count);
        for (size_t i = 0; i < inventory->count; i++) {
                struct inventory_entry *entry = &inventory->items[i];

                entry->status = asked[i].status;
                if (asked[i].error && !entry->trouble)
                        entry->trouble = error_text(asked[i].error);
                error_free(asked[i].error);
        }
}

static void read_projects(struct front *front, struct projects *projects)
{
        _cleanup_(error_freep) struct error *error = NULL;

        if (projects_read_apart(projects, &error) < 0)
                event_warning(front->events, "the configuration can't be read, so only VMs are listed: machine validate");
        projects_warn(projects, NULL, front->events);
}

static int find_names(const struct projects *projects, struct strv *names, struct error **err)
{
        if (vm_list(names, err) < 0)
                return -1;
        for (size_t i = 0; i < projects->count; i++)
                if (!strv_contains(names, projects->items[i].name))
                        strv_add(names, projects->items[i].name);
        strv_sort(names);
        return 0;
}

bool inventory_is_empty(void)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        projects_read_apart(&projects, NULL);
        return find_names(&projects, &names, NULL) < 0 || names.count == 0;
}

/* The table has room for a state, and not for its reason. */
static void warn(struct front *front, const struct inventory_entry *entry)
{
        const struct vm_status *status = &entry->status;
        _cleanup_(freep) char *text = vm_status_text(status);

        if (entry->trouble)
                event_warning(front->events, "VM '%s': %s", entry->name, entry->trouble);
        else if (status->state == VM_PAUSED || status->state == VM_UNRESPONSIVE)
                event_warning(front->events, "VM '%s' is %s; %s", entry->name, text, status->hint);
        if (!entry->trouble && entry->vm.exists && entry->vm.record.lacks.count > 0) {
                _cleanup_(freep) char *titles = recipe_lack_titles(&entry->vm.record.lacks);

                event_warning(front->events, "VM '%s' goes without what failed of its recipe (%s); to try again: machine up %s",
                              entry->name, titles, entry->name);
        }
        if (!entry->trouble && entry->vm.damage)
                event_warning(front->events,
                              "VM '%s': its record is read from a copy, because of this: %s: machine doctor --repair",
                              entry->name, entry->vm.damage);
}

int inventory_take(struct front *front, struct inventory *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        read_projects(front, &out->projects);
        if (find_names(&out->projects, &names, err) < 0)
                return -1;
        out->items = xcalloc(names.count + 1, sizeof(*out->items));
        for (size_t i = 0; i < names.count; i++) {
                struct inventory_entry *entry = &out->items[out->count++];

                *entry = (struct inventory_entry){ .name = xstrdup(names.items[i]),
                                                   .project = projects_find(&out->projects, names.items[i]),
                                                   .vm = VM_INIT,
                                                   .status = VM_STATUS_INIT };
                look(entry);
        }
        inspect_all(out);
        for (size_t i = 0; i < out->count; i++)
                warn(front, &out->items[i]);
        return 0;
}

const char *inventory_state(const struct inventory_entry *entry)
{
        if (entry->broken)
                return vm_state_name(VM_BROKEN);
        if (entry->making)
                return VM_CREATING;
        return entry->trouble ? "unknown" : vm_state_name(entry->status.state);
}

int64_t inventory_refused(const struct inventory_entry *entry)
{
        _cleanup_(account_clear) struct account account = ACCOUNT_INIT;
        const struct vm *vm = &entry->vm;
        int64_t count = 0;

        if (!vm->exists || entry->trouble || !(vm_state_is_alive(entry->status.state) || entry->status.state == VM_PARKED))
                return 0;
        if (!vm->engine->account || vm->engine->account(vm, &account, NULL) < 0)
                return -1;
        for (size_t i = 0; i < account.count; i++)
                count += !account.lines[i].reached;
        return count;
}

void inventory_repos(const struct inventory_entry *entry, struct strv *out)
{
        if (entry->vm.exists)
                strv_add_all(out, &entry->vm.record.repos);
        else if (entry->project)
                for (size_t i = 0; i < entry->project->repo_count; i++)
                        strv_add(out, entry->project->repos[i].url);
}
