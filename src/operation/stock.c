#include "operation/stock.h"

#include "config/project.h"
#include "config/settings.h"
#include "host/user.h"
#include "operation/engines.h"
#include "operation/recipe-layers.h"
#include "operation/target.h"

void stock_clear(struct stock *stock)
{
        engine_layers_clear(&stock->layers);
        strv_clear(&stock->used);
        strv_clear(&stock->owners);
        error_free(stock->unread);
        *stock = (struct stock)STOCK_INIT;
}

/* --- what a new VM would be made from */

struct wanted {
        const struct engine *engine; /* for a project that names none */
        const char *user;
        struct strv layers; /* all of a stack */
        struct strv tops;   /* those that templates stand on */
};

static int add_project(struct front *front, const char *name, struct wanted *wanted, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(recipe_layers_found_clear) struct recipe_layers_found found = RECIPE_LAYERS_FOUND_INIT;
        const struct engine *engine;

        if (target_named(front, name, &target, err) < 0)
                return -1;
        if (!target.configured)
                return 0;
        engine = vm_find_engine(target.project.engine);
        if (recipe_layers_find(engine ? engine : wanted->engine, &target, wanted->user, &found, err) < 0)
                return -1;
        strv_add_all(&wanted->layers, &found.keys);
        if (found.missing.count == 0 && found.keys.count > 0)
                strv_add(&wanted->tops, found.keys.items[found.keys.count - 1]);
        return 0;
}

static int add_projects(struct front *front, struct wanted *wanted, struct error **err)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        if (projects_read(&projects, err) < 0)
                return -1;
        for (size_t i = 0; i < projects.count; i++) {
                _cleanup_(error_freep) struct error *reason = NULL;
                _cleanup_(freep) char *text = NULL;

                if (add_project(front, projects.items[i].name, wanted, &reason) == 0)
                        continue;
                text = error_text(reason);
                event_warning(front->events, "project '%s' can't be read, so its layers count as unused: %s",
                              projects.items[i].name, text);
        }
        /* The checkout here, if it is trusted, or the built-in project. */
        add_project(front, NULL, wanted, NULL);
        return 0;
}

static void mark_current(struct front *front, const char *user, struct engine_layers *layers, struct error **err)
{
        struct wanted wanted = { .engine = engine_of_layers(), .user = user };
        _cleanup_(freep) char *why = NULL;
        int status;

        engine_choose("auto", &wanted.engine, &why, NULL);
        status = add_projects(front, &wanted, err);

        for (size_t i = 0; status == 0 && i < layers->count; i++) {
                struct engine_layer *layer = &layers->items[i];

                if (streq(layer->kind, "recipe"))
                        layer->current = strv_contains(&wanted.layers, layer->key);
                else if (streq(layer->kind, "base"))
                        layer->current |= strv_contains(&wanted.layers, layer->key);
                else if (streq(layer->kind, "template"))
                        layer->current &= layer->parent && strv_contains(&wanted.tops, layer->parent);
        }
        strv_clear(&wanted.layers);
        strv_clear(&wanted.tops);
}

/* Says of a snapshot whose VM is gone, with its folder, that nobody keeps it. When a VM can't be read, that isn't known. */
static int forget_owners(struct engine_layers *layers, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(strv_clear) struct strv uuids = STRV_INIT;

        if (vm_list(&names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(vm_clear) struct vm vm = VM_INIT;

                if (vm_open(&vm, names.items[i], NULL) < 0)
                        return 0;
                if (vm.exists)
                        strv_add(&uuids, vm.record.uuid);
        }
        for (size_t i = 0; i < layers->count; i++)
                if (layers->items[i].kept && !strv_contains(&uuids, layers->items[i].uuid))
                        layers->items[i].kept = false;
        return 0;
}

int stock_take(struct front *front, struct stock *out, struct error **err)
{
        _cleanup_(freep) char *user = user_for_guest();

        *out = (struct stock)STOCK_INIT;
        if (engine_of_layers()->layers(user, &out->layers, err) < 0 || forget_owners(&out->layers, err) < 0)
                return -1;
        if (engine_of_layers()->needs(&out->used, &out->owners, &out->unread) == 0)
                mark_current(front, user, &out->layers, &out->unread);
        return 0;
}

void stock_warn_unread(const struct stock *stock, struct event_sink *events)
{
        _cleanup_(freep) char *text = stock->unread ? error_placed_text(stock->unread) : NULL;

        if (text)
                event_warning(events, "it isn't known which of these are needed: %s%s%s", text, stock->unread->hint ? ": " : "",
                              stock->unread->hint ? stock->unread->hint : "");
}

static int is_used(const char *key, void *data, struct error **err)
{
        _cleanup_(strv_clear) struct strv used = STRV_INIT;

        if (engine_of_layers()->needs(&used, NULL, err) < 0)
                return -1;
        return strv_contains(&used, key);
}

static int abandon(const struct engine_layer *layer, struct error **err)
{
        for (const struct engine *const *engine = vm_engines(); streq(layer->kind, "unfinished") && *engine; engine++)
                if ((*engine)->abandon && (*engine)->abandon(layer->key, err) < 0)
                        return -1;
        return 0;
}

static int remove_layer(const struct engine_layer *layer, bool memory_only, struct error **err)
{
        int removed =
                abandon(layer, err) < 0 ? -1 : engine_of_layers()->remove_layer(layer->key, memory_only, is_used, NULL, err);

        return removed < 0 ? error_wrap(err, "cannot remove layer '%s'", layer->key) : removed;
}

int stock_remove_unused(const char *key, struct error **err)
{
        return engine_of_layers()->remove_layer(key, false, is_used, NULL, err);
}

int stock_prune(const struct engine_layers *layers, const struct prune *prune, struct event_sink *events, int64_t *freed,
                struct error **err)
{
        *freed = 0;
        for (size_t i = 0; i < prune->count; i++) {
                const struct prune_step *step = &prune->steps[i];
                const struct engine_layer *layer = &layers->items[step->layer];
                int removed = remove_layer(layer, step->memory_only, err);

                if (removed < 0)
                        return -1;
                if (removed > 0)
                        *freed += step->bytes;
                else
                        event_note(events, "layer '%.12s' has come into use, and stays", layer->key);
        }
        return 0;
}

static int trim(struct event_sink *events, struct error **err)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(engine_layers_clear) struct engine_layers layers = ENGINE_LAYERS_INIT;
        _cleanup_(prune_clear) struct prune prune = PRUNE_INIT;
        int64_t freed;

        if (settings_read(&settings, err) < 0 || engine_of_layers()->layers(NULL, &layers, err) < 0)
                return -1;
        prune_budget(&layers, settings.template_budget, &prune);
        return stock_prune(&layers, &prune, events, &freed, err);
}

void stock_trim(struct event_sink *events)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(freep) char *text = NULL;

        if (trim(events, &reason) == 0)
                return;
        text = error_text(reason);
        event_warning(events, "cannot keep warm templates within their budget: %s", text);
}

void stock_owners(const struct stock *stock, const char *key, struct strv *out)
{
        for (size_t i = 0; i < stock->used.count; i++)
                if (streq(stock->used.items[i], key))
                        strv_add(out, stock->owners.items[i]);
}
