#include "operation/checkpoint.h"

#include "lib/text.h"

#define PREFIX     "before "
#define LABEL_MOST 60

static bool is_checkpoint(const struct engine_layer *snapshot)
{
        return snapshot->automatic && starts_with(snapshot->label, PREFIX) && !streq(snapshot->label, SNAPSHOT_BEFORE_RESTORE);
}

/* The newest come first. */
static int drop_old(struct vm *vm, struct error **err)
{
        _cleanup_(snapshots_clear) struct snapshots snapshots = SNAPSHOTS_INIT;
        size_t kept = 0;

        if (snapshots_find(vm, &snapshots, err) < 0)
                return -1;
        for (size_t i = 0; i < snapshots.count; i++)
                if (snapshots.items[i]->automatic && ++kept > CHECKPOINTS_KEPT &&
                    snapshot_drop(vm, snapshots.items[i], err) < 0)
                        return -1;
        return 0;
}

static int take(struct front *front, struct vm *vm, const char *label, struct error **err)
{
        if (vm_lock(vm, front->events, err) < 0)
                return -1;
        if (!vm->exists)
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' was removed by another process", vm->name);
        return snapshot_take(front, vm, label, true, NULL, err) < 0 ? -1 : drop_old(vm, err);
}

void checkpoint_take(struct front *front, struct vm *vm, const char *what)
{
        _cleanup_(freep) char *whole = xasprintf(PREFIX "%s", what);
        _cleanup_(freep) char *label = xstrndup(whole, LABEL_MOST);
        _cleanup_(error_freep) struct error *reason = NULL;

        if (!vm->engine->snapshot)
                return;
        if (take(front, vm, label, &reason) < 0) {
                _cleanup_(freep) char *text = error_text(reason);

                event_warning(front->events, "what '%s' does can't be undone: %s", what, text);
        }
        lock_release(&vm->lock);
}

const struct engine_layer *checkpoint_newest(const struct vm *vm, const struct snapshots *snapshots, struct error **err)
{
        for (size_t i = 0; i < snapshots->count; i++)
                if (is_checkpoint(snapshots->items[i]))
                        return snapshots->items[i];
        error_set(err, ERROR_NOT_FOUND, "no agent has been started in VM '%s' since it was made, so there is nothing to undo",
                  vm->name);
        error_hint(err, "machine snapshots %s", vm->name);
        return NULL;
}

bool checkpoint_left_since(const struct account_line *line, int64_t since)
{
        return line->reached && line->sent > 0 && line->last >= since && !streq(line->protocol, "dns");
}
