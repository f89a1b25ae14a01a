#include "operation/outlook.h"

#include "host/user.h"
#include "lib/text.h"
#include "operation/describe.h"
#include "operation/recipe-layers.h"

void outlook_clear(struct outlook *outlook)
{
        for (size_t i = 0; i < outlook->count; i++)
                free(outlook->items[i].what);
        free(outlook->items);
        *outlook = (struct outlook)OUTLOOK_INIT;
}

/* `build` is what the build is called in host/builds.h. */
static void add(struct outlook *out, const char *what, bool built, const char *build)
{
        out->items = xreallocarray(out->items, out->count + 1, sizeof(*out->items));
        out->items[out->count++] = (struct outlook_item){
                .what = xstrdup(what),
                .built = built,
                .cost = built ? (struct build_cost){ 0 } : builds_recall(build),
        };
}

static void add_layers(const struct recipe_layers_found *found, struct outlook *out)
{
        for (size_t i = 0; i < found->names.count; i++)
                add(out, found->names.items[i], true, NULL);
        for (size_t i = 0; i < found->missing.count; i++) {
                const char *what = found->missing.items[i];

                add(out, what, false, streq(what, BUILD_IMAGE) && found->wide ? BUILD_WIDE_IMAGE : what);
        }
}

/* A template stands on all the other layers, so it is missing when one of them is. */
static int add_template(const struct engine *engine, const struct target *target, const struct recipe_layers_found *found,
                        struct outlook *out, struct error **err)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        int baked = 0;

        if (!engine->baked || target->project.cold || target->project.image)
                return 0;
        if (found->missing.count == 0 && found->keys.count > 0) {
                describe_record(&record, &target->project, target->name, engine->name);
                /* A VM without a recipe stands on the image itself. */
                if (found->keys.count > 1)
                        set_string(&record.layer, xstrdup(found->keys.items[found->keys.count - 1]));
                baked = engine->baked(&record, err);
        }
        if (baked < 0)
                return -1;
        add(out, BUILD_TEMPLATE, baked > 0, BUILD_TEMPLATE);
        return 0;
}

int outlook_find(const struct engine *engine, const struct target *target, struct outlook *out, struct error **err)
{
        _cleanup_(recipe_layers_found_clear) struct recipe_layers_found found = RECIPE_LAYERS_FOUND_INIT;
        _cleanup_(freep) char *user = user_for_guest();

        if (recipe_layers_find(engine, target, user, &found, err) < 0)
                return -1;
        add_layers(&found, out);
        return add_template(engine, target, &found, out, err);
}

char *outlook_text(const struct outlook_item *item)
{
        _cleanup_(freep) char *cost = build_cost_text(&item->cost);

        if (item->built)
                return xstrdup("there already");
        return cost ? xasprintf("to be built (%s)", cost) : xstrdup("to be built");
}

void outlook_tell(struct front *front, const struct engine *engine, const struct target *target)
{
        _cleanup_(outlook_clear) struct outlook outlook = OUTLOOK_INIT;

        if (outlook_find(engine, target, &outlook, NULL) < 0)
                return;
        for (size_t i = 0; i < outlook.count; i++) {
                _cleanup_(freep) char *cost = build_cost_text(&outlook.items[i].cost);

                if (!outlook.items[i].built)
                        event_note(front->events, "to be built first: %s%s%s%s", outlook.items[i].what, cost ? " (" : "",
                                   cost ? cost : "", cost ? ")" : "");
        }
}
