/* The doctor's look at layers: whether they can be used, and which VMs stand on one that can't. */
#include "host/paths.h"
#include "lib/file.h"
#include "operation/doctor-system.h"
#include "operation/engines.h"
#include "plan/prune.h"
#include "vm/vm.h"

struct look {
        const struct doctor_wish *wish;
        struct engine_layers layers;
        struct strv used, owners;
        bool known; /* what VMs need */
        size_t whole, unhashed;
};

/* Returns true when the layer can be used now, or is gone because no VM needs it. */
static bool try_to_mend(const struct look *look, const struct engine_layer *layer)
{
        bool bad_content = !streq(layer->kind, "damaged");
        int mended = engine_of_layers()->mend_layer(layer->key, bad_content, look->wish->front->events, NULL);

        if (mended > 0)
                event_note(look->wish->front->events, "layer '%.12s' was damaged, and no VM needs it: it is removed",
                           layer->key);
        return mended >= 0;
}

static void say_damaged(struct doctor *doctor, struct look *look, size_t i, const struct error *error)
{
        const struct engine_layer *layer = &look->layers.items[i];
        _cleanup_(freep) char *title = xasprintf("layer %.12s", layer->key);
        _cleanup_(freep) char *text = error_text(error);
        _cleanup_(freep) char *layers = paths_data("layers");
        _cleanup_(freep) char *folder = path_join(layers, layer->key);
        _cleanup_(strv_clear) struct strv vms = STRV_INIT;
        _cleanup_(freep) char *names = NULL;
        _cleanup_(freep) char *restore =
                xasprintf("restore '%s' from a backup, and until then don't stop a VM that runs", folder);

        const char *hint = look->wish->repair ? restore : "machine doctor --repair";

        /* What only has the wrong owner or mode is not lost. */
        if (error->hint && !starts_with(error->hint, "machine "))
                hint = error->hint;
        prune_owners(&look->layers, i, &look->used, &look->owners, &vms);
        names = strv_join(&vms, ", ");
        if (!look->known || vms.count > 0)
                doctor_say(doctor, DOCTOR_BAD, title, hint, "%s; what stands on it: %s", text,
                           look->known ? names : "that isn't known");
        else
                doctor_say(doctor, DOCTOR_WARNING, title, "machine doctor --repair", "%s; no VM needs it", text);
}

static void check_layer(struct doctor *doctor, struct look *look, size_t i)
{
        const struct engine_layer *layer = &look->layers.items[i];
        const struct engine *engine = engine_of_layers();
        _cleanup_(error_freep) struct error *error = NULL;
        bool read_all = look->wish->layers;
        int found;

        /* An earlier one took it away, or this is only the name of what a build has not finished. */
        if (streq(layer->kind, "building") || streq(layer->kind, "unfinished") || engine->has_layer(layer->key, NULL) == 0)
                return;
        if (read_all)
                event_begin(look->wish->front->events, "layer", "reading layer %.12s", layer->key);
        found = engine->check_layer(layer->key, read_all, &error);
        if (read_all)
                event_end(look->wish->front->events, "layer", found < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        if (found < 0 && look->wish->repair && try_to_mend(look, layer)) {
                if (engine->has_layer(layer->key, NULL) > 0)
                        look->whole++;
                return;
        }
        if (found < 0) {
                say_damaged(doctor, look, i, error);
                return;
        }
        look->whole++;
        if (read_all && found == 0)
                look->unhashed++;
}

static void say_whole(struct doctor *doctor, const struct look *look)
{
        if (!look->wish->layers)
                doctor_say(doctor, DOCTOR_GOOD, "layers", NULL, "%zu can be used; to read all of them: machine doctor --layers",
                           look->whole);
        else if (look->unhashed == 0)
                doctor_say(doctor, DOCTOR_GOOD, "layers", NULL, "%zu as they were made", look->whole);
        else
                doctor_say(doctor, DOCTOR_GOOD, "layers", NULL, "%zu as they were made, and %zu of which no hashes are known",
                           look->whole - look->unhashed, look->unhashed);
}

void doctor_check_layers(struct doctor *doctor, const struct doctor_wish *wish)
{
        struct look look = { .wish = wish, .layers = ENGINE_LAYERS_INIT, .used = STRV_INIT, .owners = STRV_INIT };
        const struct engine *engine = engine_of_layers();
        _cleanup_(error_freep) struct error *error = NULL;

        if (engine->layers(NULL, &look.layers, &error) < 0)
                doctor_say_error(doctor, "layers", error);
        look.known = engine->needs(&look.used, &look.owners, &error) == 0;
        if (!look.known)
                doctor_say_error(doctor, "layers", error);
        for (size_t i = 0; i < look.layers.count; i++)
                check_layer(doctor, &look, i);
        if (look.layers.count > 0)
                say_whole(doctor, &look);
        engine_layers_clear(&look.layers);
        strv_clear(&look.used);
        strv_clear(&look.owners);
}
