/* Lists, builds in advance and removes layers, and among them templates, which only this engine has. */
#include "image/stock.h"
#include "image/base.h"

#include "lib/text.h"
#include "qemu/engine.h"
#include "qemu/moment.h"
#include "qemu/template-build.h"
#include "qemu/template.h"

/* Would a new VM of the template's own size be made from it? */
static bool is_fresh(const struct layer *layer)
{
        _cleanup_(freep) char *parent = xstrdup(layer_text(layer, "parent"));

        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;

        if (toolkit_find(&toolkit, NULL) < 0)
                return false;
        acceleration_find(&acceleration);
        return template_fits(layer,
                             &(struct template_wish){ .base = &(struct layer){ .key = parent },
                                                      .user = layer_text(layer, "user"),
                                                      .shell = "",
                                                      .cpus = layer_number(layer, "cpus"),
                                                      .memory_bytes = layer_number(layer, "memory_bytes"),
                                                      .toolkit = &toolkit,
                                                      .acceleration = &acceleration },
                             NULL) == 0 &&
               template_check(layer, NULL) == 0;
}

static void describe(const struct layer *layer, bool asked, struct engine_layer *item)
{
        _cleanup_(freep) char *memory = text_format_size(layer_number(layer, "memory_bytes"));
        int64_t cpus = layer_number(layer, "cpus");

        item->about =
                xasprintf("%jd cpu%s, %s, %s", (intmax_t)cpus, cpus == 1 ? "" : "s", memory, layer_text(layer, "accelerator"));
        item->engine = xstrdup("qemu");
        item->memory_bytes = template_bytes(layer);
        item->current = asked && is_fresh(layer);
}

static int tidy(const char *folder, struct error **err)
{
        return template_builder.tidy(folder, err);
}

static int drop_memory(const char *key, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(freep) char *memory = NULL;
        int there = layer_find(key, &layer, err);
        int needed;

        if (there <= 0)
                return there < 0 ? -1 : 1;
        memory = template_memory(&layer);
        needed = moment_needs(memory, err);
        if (needed != 0)
                return needed < 0 ? -1 : 0;
        return template_drop(&layer, err) < 0 ? -1 : 1;
}

static const struct stock_kind templates = {
        .name = "template",
        .describe = describe,
        .tidy = tidy,
        .drop_memory = drop_memory,
};

int engine_layers(const char *user, struct engine_layers *out, struct error **err)
{
        return stock_list(user, &templates, out, err);
}

int engine_remove_layer(const char *key, bool memory_only, engine_in_use_fn in_use, void *data, struct error **err)
{
        return stock_remove(key, &templates, memory_only, in_use, data, err);
}

static int bake_template(const struct vm_record *record, const struct layer *base, bool force, struct event_sink *events,
                         struct error **err)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;
        const struct template_wish wish = template_wish_for(record, base, &toolkit, &acceleration);
        _cleanup_(layer_clear) struct layer old = LAYER_INIT;
        _cleanup_(layer_clear) struct layer made = LAYER_INIT;
        int there;

        if (toolkit_find(&toolkit, err) < 0)
                return -1;
        acceleration_find(&acceleration);
        there = force ? template_find(&wish, &old, err) : 0;
        if (there < 0 || (there > 0 && template_drop(&old, err) < 0))
                return -1;
        return template_ensure(&wish, events, &made, err);
}

int engine_baked(const struct vm_record *record, struct error **err)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;
        _cleanup_(layer_clear) struct layer base = LAYER_INIT;
        _cleanup_(layer_clear) struct layer found = LAYER_INIT;
        struct template_wish wish;
        int there = record->layer ? layer_find(record->layer, &base, err) : base_find(record->user, NULL, &base, err);

        if (there <= 0 || record->cold)
                return there;
        if (toolkit_find(&toolkit, err) < 0)
                return -1;
        acceleration_find(&acceleration);
        wish = template_wish_for(record, &base, &toolkit, &acceleration);
        return template_find(&wish, &found, err);
}

int engine_bake(const struct vm_record *record, bool force, struct event_sink *events, struct error **err)
{
        _cleanup_(layer_clear) struct layer base = LAYER_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        if (create_find_base(record, events, &base, &lock, err) < 0)
                return -1;
        return record->cold ? 0 : bake_template(record, &base, force, events, err);
}
