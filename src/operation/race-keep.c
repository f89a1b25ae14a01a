/* Keeping one fork of a race, and dropping the others. */
#include "guest/fetch.h"
#include "lib/text.h"
#include "operation/destroy.h"
#include "operation/power.h"
#include "operation/race.h"
#include "operation/snapshot.h"

void race_kept_clear(struct race_kept *kept)
{
        free(kept->checkout);
        free(kept->holds);
        *kept = (struct race_kept)RACE_KEPT_INIT;
}

/* Opens one that is locked. 1 = it is there and still of the race, 0 = it is not, -1 = error. */
static int open_fork(struct front *front, const struct race_fork *fork, struct vm *vm, struct error **err)
{
        if (vm_open(vm, fork->name, err) < 0 || (vm->exists && vm_lock(vm, front->events, err) < 0))
                return -1;
        return vm->exists && vm->record.race;
}

/* --- dropping */

static int drop(struct front *front, const struct race_fork *fork, size_t *dropped, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int there = open_fork(front, fork, &vm, err);

        if (there <= 0)
                return there;
        if (destroy_vm(front, &vm, err) < 0)
                return -1;
        (*dropped)++;
        return 0;
}

/* What a race that was killed has left at the VM itself. */
static int tidy(struct front *front, const char *name, struct error **err)
{
        _cleanup_(vm_clear) struct vm source = VM_INIT;

        if (vm_open(&source, name, NULL) < 0 || !source.exists)
                return 0;
        if (vm_lock(&source, front->events, err) < 0)
                return -1;
        return source.exists ? race_drop_snapshots(&source, err) : 0;
}

int race_drop(struct front *front, const struct race *race, const struct race_fork *but, size_t *dropped, struct error **err)
{
        for (size_t i = 0; i < race->count; i++)
                if (&race->items[i] != but && drop(front, &race->items[i], dropped, err) < 0)
                        return -1;
        return tidy(front, race->name, err);
}

/* --- keeping */

static const char *checkout_of(const struct vm *vm)
{
        const char *checkout = vm_record_checkout(&vm->record);

        return vm->record.repos.count > 0 && streq(vm->record.repos.items[0], ".") ? checkout : NULL;
}

static int fetch(struct front *front, struct vm *vm, const struct race_fork *fork, struct race_kept *out, struct error **err)
{
        const char *checkout = checkout_of(vm);
        _cleanup_(freep) char *tip = NULL;

        if (vm->record.repos.count == 0)
                return 0;
        if (power_start(front, vm, err) < 0 || branch_save(vm, race_branch(fork), &tip, err) < 0)
                return -1;
        if (!checkout || !tip)
                return 0;
        if (fetch_branch(vm, checkout, race_branch(fork), tip, &out->commits, err) < 0)
                return -1;
        out->checkout = xstrdup(checkout);
        return 0;
}

/* Takes out of the work what the VM that was forked has too, if it runs: it is not lost with the fork. */
static void forgive(const char *name, struct work *work)
{
        _cleanup_(vm_clear) struct vm source = VM_INIT;
        _cleanup_(strv_clear) struct strv refs = STRV_INIT;

        if (vm_open(&source, name, NULL) == 0 && source.exists && source.record.repos.count > 0 && vm_runs(&source) &&
            branch_refs(&source, &refs, NULL) == 0)
                work_forgive(work, &refs);
}

/* Is there nothing in the fork that is nowhere else? Otherwise *holds says what there is. */
static bool is_all_fetched(struct front *front, const struct race *race, struct vm *vm, char **holds)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(work_clear) struct work found = WORK_INIT;

        if (destroy_check_work(front, vm, &found, &reason) == 0)
                return true;
        if (!work_any(&found)) {
                *holds = error_text(reason);
                return false;
        }
        forgive(race->name, &found);
        *holds = work_text(&found);
        return !work_any(&found);
}

static int release(struct vm *vm, struct error **err)
{
        vm->record.race = false;
        return vm_save(vm, err);
}

static int keep(struct front *front, const struct race *race, struct vm *vm, const struct race_fork *fork,
                struct race_kept *out, struct error **err)
{
        bool finishing = vm->record.intent == INTENT_DESTROY;

        if (!finishing && fetch(front, vm, fork, out, err) < 0)
                return -1;
        if (race_drop(front, race, fork, &out->dropped, err) < 0)
                return -1;
        out->removed = finishing || (out->checkout && is_all_fetched(front, race, vm, &out->holds));
        return out->removed ? destroy_vm(front, vm, err) : release(vm, err);
}

int race_keep(struct front *front, const struct race *race, const struct race_fork *fork, struct race_kept *out,
              struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int there = open_fork(front, fork, &vm, err);

        if (there < 0)
                return -1;
        if (there == 0)
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' was removed by another process", fork->name);
        return keep(front, race, &vm, fork, out, err);
}
