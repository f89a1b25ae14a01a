#include "operation/budget.h"

#include "config/settings.h"
#include "lib/text.h"
#include "operation/idle.h"
#include "operation/power.h"

/* One that was used a moment ago is in use. */
#define IDLE_LEAST_MS 60000

struct runner {
        struct vm vm;
        int64_t idle_ms; /* -1 = it can't be parked */
};

struct runners {
        struct runner *items;
        size_t count;
        int64_t memory_bytes; /* of all */
};

static void runners_clear(struct runners *runners)
{
        for (size_t i = 0; i < runners->count; i++)
                vm_clear(&runners->items[i].vm);
        free(runners->items);
}

/* What can't be looked at counts as in use. */
static int64_t idle_for(const struct vm *vm)
{
        return vm->engine->park && vm->record.intent == INTENT_NONE && !vm_is_busy(vm) ? idle_look(vm, NULL) : -1;
}

/* `but`: NULL = all. */
static void find_runners(const struct vm *but, struct runners *out)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (vm_list(&names, NULL) < 0)
                return;
        out->items = xcalloc(names.count + 1, sizeof(*out->items));
        for (size_t i = 0; i < names.count; i++) {
                struct runner *runner = &out->items[out->count];

                runner->vm = (struct vm)VM_INIT;
                if ((but && streq(names.items[i], but->name)) || vm_open(&runner->vm, names.items[i], NULL) < 0 ||
                    !runner->vm.exists || !vm_runs(&runner->vm)) {
                        vm_clear(&runner->vm);
                        continue;
                }
                runner->idle_ms = idle_for(&runner->vm);
                out->memory_bytes += runner->vm.record.memory_bytes;
                out->count++;
        }
}

static struct runner *find_idlest(struct runners *runners)
{
        struct runner *idlest = NULL;

        for (size_t i = 0; i < runners->count; i++)
                if (runners->items[i].idle_ms >= IDLE_LEAST_MS && (!idlest || runners->items[i].idle_ms > idlest->idle_ms))
                        idlest = &runners->items[i];
        return idlest;
}

/* A VM that can't be parked keeps its memory, and is not tried again. */
static void park(struct front *front, struct runner *runner, struct runners *runners)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        bool parked = false;

        if (power_park_idle(front, &runner->vm, IDLE_LEAST_MS, &parked, &reason) < 0) {
                _cleanup_(freep) char *text = error_text(reason);

                event_warning(front->events, "%s", text);
        }
        if (parked) {
                event_note(front->events, "VM '%s' was idle and is parked, to keep to memory_budget", runner->vm.name);
                runners->memory_bytes -= runner->vm.record.memory_bytes;
        }
        runner->idle_ms = -1;
}

static void warn(struct front *front, const struct vm *vm, int64_t together, const struct settings *settings)
{
        _cleanup_(freep) char *all = text_format_size(together);
        _cleanup_(freep) char *budget = text_format_size(settings->memory_budget);

        event_warning(
                front->events,
                "with VM '%s' the running VMs may take %s of memory, more than the memory_budget of %s, and no other is idle",
                vm->name, all, budget);
}

bool budget_has_room(int64_t memory_bytes)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(runners_clear) struct runners runners = { 0 };

        if (settings_read(&settings, NULL) < 0 || settings.memory_budget == 0)
                return true;
        find_runners(NULL, &runners);
        for (size_t i = 0; i < runners.count; i++)
                if (runners.items[i].idle_ms < IDLE_LEAST_MS)
                        memory_bytes += runners.items[i].vm.record.memory_bytes;
        return memory_bytes <= settings.memory_budget;
}

void budget_make_room(struct front *front, const struct vm *vm)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(runners_clear) struct runners runners = { 0 };
        struct runner *idlest;

        /* A mistake in the file is told by whoever needs it. */
        if (settings_read(&settings, NULL) < 0 || settings.memory_budget == 0)
                return;
        find_runners(vm, &runners);
        while (runners.memory_bytes + vm->record.memory_bytes > settings.memory_budget) {
                idlest = find_idlest(&runners);
                if (!idlest) {
                        warn(front, vm, runners.memory_bytes + vm->record.memory_bytes, &settings);
                        return;
                }
                park(front, idlest, &runners);
        }
}
