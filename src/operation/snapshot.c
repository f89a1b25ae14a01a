#include "operation/snapshot.h"

#include <time.h>

#include "guest/session.h"
#include "lib/json.h"
#include "lib/text.h"
#include "operation/engines.h"
#include "operation/power.h"
#include "operation/stock.h"

#define LABEL_MOST 60
#define NAMED_MOST 8
#define KEY_LEAST  8

void snapshots_clear(struct snapshots *snapshots)
{
        free(snapshots->items);
        engine_layers_clear(&snapshots->layers);
        *snapshots = (struct snapshots)SNAPSHOTS_INIT;
}

static int newest_first(const void *a, const void *b)
{
        return strcmp((*(const struct engine_layer *const *)b)->created, (*(const struct engine_layer *const *)a)->created);
}

int snapshots_find(const struct vm *vm, struct snapshots *out, struct error **err)
{
        if (engine_of_layers()->layers(NULL, &out->layers, err) < 0)
                return -1;
        out->items = xcalloc(out->layers.count + 1, sizeof(*out->items));
        for (size_t i = 0; i < out->layers.count; i++)
                if (out->layers.items[i].kept && streq_ptr(out->layers.items[i].uuid, vm->record.uuid))
                        out->items[out->count++] = &out->layers.items[i];
        qsort(out->items, out->count, sizeof(*out->items), newest_first);
        return 0;
}

static int not_found(const struct vm *vm, const struct snapshots *snapshots, const char *wanted, struct error **err)
{
        _cleanup_(strv_clear) struct strv labels = STRV_INIT;
        _cleanup_(freep) char *text = NULL;

        for (size_t i = 0; i < snapshots->count; i++)
                strv_add(&labels, snapshots->items[i]->label);
        text = text_first_of(&labels, NAMED_MOST);
        error_set(err, ERROR_NOT_FOUND, "VM '%s' has no snapshot '%s'", vm->name, wanted);
        return labels.count > 0 ? error_hint(err, "there are: %s", text) : error_hint(err, "machine snapshot %s", vm->name);
}

const struct engine_layer *snapshots_choose(const struct vm *vm, const struct snapshots *snapshots, const char *wanted,
                                            struct error **err)
{
        for (size_t i = 0; i < snapshots->count; i++)
                if (streq(snapshots->items[i]->label, wanted))
                        return snapshots->items[i];
        for (size_t i = 0; i < snapshots->count && strlen(wanted) >= KEY_LEAST; i++)
                if (starts_with(snapshots->items[i]->key, wanted))
                        return snapshots->items[i];
        not_found(vm, snapshots, wanted, err);
        return NULL;
}

static int check_label(const char *label, struct error **err)
{
        _cleanup_(json_decrefp) json_t *text = json_string(label);
        size_t length = strlen(label);

        /* JSON, which a layer's manifest is written in, can't hold another text. */
        if (!text)
                return error_set(err, ERROR_USAGE, "a label is text in UTF-8");

        for (size_t i = 0; i < length; i++)
                if ((unsigned char)label[i] < 0x20 || label[i] == 0x7f)
                        return error_set(err, ERROR_USAGE, "a label is one line of text");
        if (length > 0 && length <= LABEL_MOST)
                return 0;
        return error_set(err, ERROR_USAGE, "a label has 1 to %d bytes, and this one has %zu", LABEL_MOST, length);
}

static int check_engine(const struct vm *vm, struct error **err)
{
        if (vm->engine->snapshot)
                return 0;
        error_set(err, ERROR_ENGINE, "engine '%s' takes no snapshots of VM '%s'", vm->engine->name, vm->name);
        return error_hint(err, "take the files out that matter: machine cp -r %s:code .", vm->name);
}

int snapshot_take(struct front *front, struct vm *vm, const char *label, bool automatic, char **key, struct error **err)
{
        _cleanup_(freep) char *now = text_local_time_of(time(NULL));
        const struct engine_snapshot wanted = { .label = label ? label : now, .automatic = automatic };
        _cleanup_(freep) char *taken = NULL;

        if (check_engine(vm, err) < 0 || check_label(wanted.label, err) < 0 ||
            vm->engine->snapshot(vm, &wanted, front->events, &taken, err) < 0)
                return -1;
        if (key)
                *key = TAKE_PTR(taken);
        return 0;
}

int snapshot_restore(struct front *front, struct vm *vm, const struct engine_layer *to, struct error **err)
{
        bool was_running;

        /* A guest that is parked first goes into the snapshot as it is, and doesn't go on in between. */
        if (check_engine(vm, err) < 0 || power_park(front, vm, &was_running, err) < 0)
                return -1;
        session_close(vm);
        if (snapshot_take(front, vm, SNAPSHOT_BEFORE_RESTORE, true, NULL, err) < 0 ||
            vm->engine->go_back(vm, to->key, front->events, err) < 0 || power_boot(front, vm, err) < 0)
                return error_wrap(err, "cannot make VM '%s' what it was at '%s'", vm->name, to->label);
        return 0;
}

static bool is_left_over(const struct engine_layer *layer)
{
        return streq(layer->kind, "snapshot") && !layer->kept;
}

/* One may become free by another's removal. */
int snapshots_sweep(struct error **err)
{
        _cleanup_(engine_layers_clear) struct engine_layers layers = ENGINE_LAYERS_INIT;
        bool more = true;

        if (engine_of_layers()->layers(NULL, &layers, err) < 0)
                return -1;
        while (more) {
                more = false;
                for (size_t i = 0; i < layers.count; i++) {
                        int removed = is_left_over(&layers.items[i]) ? stock_remove_unused(layers.items[i].key, err) : 0;

                        if (removed < 0)
                                return -1;
                        layers.items[i].kept |= removed > 0;
                        more |= removed > 0;
                }
        }
        return 0;
}

int snapshot_drop(struct vm *vm, const struct engine_layer *snapshot, struct error **err)
{
        return check_engine(vm, err) < 0 || vm->engine->drop_snapshot(snapshot->key, err) < 0 ? -1 : snapshots_sweep(err);
}

int snapshots_drop_all(struct vm *vm, struct error **err)
{
        _cleanup_(snapshots_clear) struct snapshots snapshots = SNAPSHOTS_INIT;

        if (!vm->engine->snapshot)
                return 0;
        if (snapshots_find(vm, &snapshots, err) < 0)
                return -1;
        for (size_t i = 0; i < snapshots.count; i++)
                if (vm->engine->drop_snapshot(snapshots.items[i]->key, err) < 0)
                        return -1;
        return 0;
}
