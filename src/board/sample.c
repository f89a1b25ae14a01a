#include "board/sample.h"

#include "lib/deadline.h"
#include "lib/os.h"
#include "operation/inventory.h"

/* Processor time that a VM's process had used at a moment. */
struct sampler_time {
        char *name;
        int64_t at_ms, cpu_ms;
};

static void clear_times(struct sampler_time *times, size_t count)
{
        for (size_t i = 0; i < count; i++)
                free(times[i].name);
        free(times);
}

void sampler_clear(struct sampler *sampler)
{
        clear_times(sampler->times, sampler->count);
        *sampler = (struct sampler){ 0 };
}

/* --- how much a guest does */

/* Adds up the processes in which guests run. Returns -1 when they can't be found. */
static int64_t processor_time(const struct vm *vm)
{
        struct engine_processes processes;
        struct engine_activity activity;
        int64_t total = -1;

        if (vm->engine->activity)
                return vm->engine->activity(vm, &activity, NULL) == 0 ? activity.cpu_ms : -1;
        if (vm->engine->processes(vm, &processes, NULL) < 0)
                return -1;
        for (size_t i = 0; i < processes.count; i++) {
                struct os_process_work work;

                if (processes.items[i].guest && os_process_work(processes.items[i].pid, &work) == 0)
                        total = (total < 0 ? 0 : total) + work.busy_ms;
        }
        return total;
}

static const struct sampler_time *find_time(const struct sampler *sampler, const char *name)
{
        for (size_t i = 0; i < sampler->count; i++)
                if (streq(sampler->times[i].name, name))
                        return &sampler->times[i];
        return NULL;
}

/* Returns -1 at the first look, and when it is another process by now. */
static int64_t percent(const struct sampler_time *before, const struct sampler_time *now)
{
        int64_t passed = before ? now->at_ms - before->at_ms : 0;
        int64_t used = before ? now->cpu_ms - before->cpu_ms : 0;

        return passed > 0 && used >= 0 && before->cpu_ms >= 0 ? (used * 100 + passed / 2) / passed : -1;
}

/* --- texts */

static char *joined(const struct strv *list, const char *separator)
{
        return list->count > 0 ? strv_join(list, separator) : NULL;
}

static char *ports_text(const struct vm_record *record)
{
        _cleanup_(strv_clear) struct strv ports = STRV_INIT;

        for (size_t i = 0; i < record->port_count; i++) {
                const struct vm_port *port = &record->ports[i];

                if (port->host == port->guest)
                        strv_addf(&ports, "%u", port->host);
                else
                        strv_addf(&ports, "%u:%u", port->host, port->guest);
        }
        return joined(&ports, " ");
}

/* Of a checkout's own code the folder is the name. */
static char *repos_text(const struct inventory_entry *entry)
{
        _cleanup_(strv_clear) struct strv repos = STRV_INIT;

        inventory_repos(entry, &repos);
        if (repos.count > 0 && streq(repos.items[0], ".") && entry->vm.exists)
                set_string(&repos.items[0], xstrdup(entry->vm.record.owner));
        return joined(&repos, ", ");
}

/* --- one VM */

static void describe(const struct inventory_entry *entry, struct board_vm *out)
{
        const struct vm_record *record = &entry->vm.record;

        out->cpus = record->cpus;
        out->memory = record->memory_bytes;
        out->disk = record->disk_bytes;
        out->engine = xstrdup(record->engine);
        out->profiles = joined(&record->profiles, ",");
        out->ports = ports_text(record);
        out->ssh = vm_alias(entry->name);
        out->created = xstrdup(record->created);
}

static void say_half(const struct inventory_entry *entry, struct board_vm *out)
{
        bool destroy = entry->vm.record.intent == INTENT_DESTROY;

        out->needs = true;
        out->reason = xstrdup(destroy ? "it is only half removed" : "it is only half set up");
        out->hint = xasprintf("machine %s %s", destroy ? "destroy" : "up", entry->name);
}

static void judge(const struct inventory_entry *entry, struct board_vm *out)
{
        const struct vm_status *status = &entry->status;
        bool known = !entry->trouble;

        out->alive = known && !entry->making && vm_state_is_alive(status->state);
        out->parked = known && status->state == VM_PARKED;
        out->reason = xstrdup(entry->trouble ? entry->trouble : status->reason);
        out->hint = xstrdup(status->hint);
        out->needs = !known || status->state == VM_BROKEN || status->state == VM_PAUSED || status->state == VM_UNRESPONSIVE;
        if (known && !out->needs && !entry->making && entry->vm.exists && entry->vm.record.intent != INTENT_NONE)
                say_half(entry, out);
}

static void look_at(struct sampler *sampler, const struct inventory_entry *entry, struct board_vm *out,
                    struct sampler_time *now)
{
        *out = (struct board_vm){ .name = xstrdup(entry->name),
                                  .state = xstrdup(inventory_state(entry)),
                                  .exists = entry->vm.exists || entry->broken,
                                  .percent = -1,
                                  .refused = inventory_refused(entry),
                                  .memory_used = entry->status.memory_bytes,
                                  .disk_used = entry->status.disk_bytes,
                                  .repos = repos_text(entry) };
        *now = (struct sampler_time){ .name = xstrdup(entry->name), .cpu_ms = -1 };
        judge(entry, out);
        if (!entry->vm.exists)
                return;
        describe(entry, out);
        if (out->alive) {
                now->cpu_ms = processor_time(&entry->vm);
                now->at_ms = now_ms();
                out->percent = percent(find_time(sampler, entry->name), now);
        }
}

void sampler_look(struct sampler *sampler, struct board_sample *out)
{
        _cleanup_(inventory_clear) struct inventory inventory = INVENTORY_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        struct front silent = { 0 };
        struct sampler_time *times;

        *out = (struct board_sample)BOARD_SAMPLE_INIT;
        if (inventory_take(&silent, &inventory, &error) < 0) {
                out->trouble = error_text(error);
                return;
        }
        out->vms = xcalloc(inventory.count + 1, sizeof(*out->vms));
        times = xcalloc(inventory.count + 1, sizeof(*times));
        for (size_t i = 0; i < inventory.count; i++)
                look_at(sampler, &inventory.items[i], &out->vms[i], &times[i]);
        clear_times(sampler->times, sampler->count);
        out->count = inventory.count;
        *sampler = (struct sampler){ times, inventory.count };
}
