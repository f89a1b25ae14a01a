#include "command/stock.h"

#include "config/settings.h"
#include "host/user.h"

void stock_clear(struct stock *stock)
{
        engine_layers_clear(&stock->layers);
        strv_clear(&stock->used);
        strv_clear(&stock->owners);
        *stock = (struct stock)STOCK_INIT;
}

/* The layers that VMs' disks stand on, and the VM's name for each. */
static int collect_used(struct strv *keys, struct strv *owners, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (vm_list(&names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(vm_clear) struct vm vm = VM_INIT;

                if (vm_open(&vm, names.items[i], err) < 0)
                        return error_wrap(err, "cannot tell what VM '%s' stands on", names.items[i]);
                if (!vm.exists || !vm.record.base)
                        continue;
                strv_add(keys, vm.record.base);
                if (owners)
                        strv_add(owners, vm.name);
        }
        return 0;
}

int stock_take(const struct engine *engine, struct stock *out, struct error **err)
{
        _cleanup_(freep) char *user = user_for_guest();

        *out = (struct stock)STOCK_INIT;
        out->engine = engine;
        if (engine->layers(user, &out->layers, err) == 0 && collect_used(&out->used, &out->owners, err) == 0)
                return 0;
        stock_clear(out);
        return -1;
}

static int is_used(const char *key, void *data, struct error **err)
{
        _cleanup_(strv_clear) struct strv used = STRV_INIT;

        if (collect_used(&used, NULL, err) < 0)
                return -1;
        return strv_contains(&used, key);
}

int stock_prune(const struct stock *stock, const struct prune *prune, struct event_sink *events, int64_t *freed,
                struct error **err)
{
        *freed = 0;
        for (size_t i = 0; i < prune->count; i++) {
                const struct prune_step *step = &prune->steps[i];
                const char *key = stock->layers.items[step->layer].key;
                int removed = stock->engine->remove_layer(key, step->memory_only, is_used, NULL, err);

                if (removed < 0)
                        return error_wrap(err, "cannot remove layer '%s'", key);
                if (removed > 0)
                        *freed += step->bytes;
                else
                        event_note(events, "layer '%.12s' is in use by now, and stays", key);
        }
        return 0;
}

static int trim(const struct engine *engine, struct event_sink *events, struct error **err)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(engine_layers_clear) struct engine_layers layers = ENGINE_LAYERS_INIT;
        _cleanup_(prune_clear) struct prune prune = PRUNE_INIT;
        int64_t freed;

        if (settings_read(&settings, err) < 0 || engine->layers(NULL, &layers, err) < 0)
                return -1;
        prune_budget(&layers, settings.template_budget, &prune);
        return stock_prune(&(struct stock){ .engine = engine, .layers = layers }, &prune, events, &freed, err);
}

void stock_trim(const struct engine *engine, struct event_sink *events)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(freep) char *text = NULL;

        if (!engine->layers || trim(engine, events, &reason) == 0)
                return;
        text = error_text(reason);
        event_warning(events, "warm templates are not kept within their budget: %s", text);
}
