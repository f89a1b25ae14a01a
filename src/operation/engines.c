#include "operation/engines.h"

#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"
#include "vm/vm.h"

const struct engine *engine_of_layers(void)
{
        const struct engine *const *engine = vm_engines();

        while (*engine && !(*engine)->layers)
                engine++;
        return *engine;
}

static char *describe(const struct engine *engine, const struct engine_probe *probe)
{
        return xasprintf("%s: %s%s%s", engine->name, probe->version ? probe->version : "present",
                         probe->acceleration ? ", " : "", probe->acceleration ? probe->acceleration : "");
}

int engine_check_name(const char *name, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *list = NULL;
        const char *near;

        if (streq(name, "auto") || vm_find_engine(name))
                return 0;
        for (const struct engine *const *engine = vm_engines(); *engine; engine++)
                strv_add(&names, (*engine)->name);
        strv_add(&names, "auto");
        near = text_suggest(name, strv_argv(&names));
        list = strv_join(&names, ", ");
        error_set(err, ERROR_USAGE, "no engine '%s' in this build", name);
        return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "there are: %s", list);
}

static int choose_named(const char *name, const struct engine **out, char **why, struct error **err)
{
        _cleanup_(engine_probe_clear) struct engine_probe probe = ENGINE_PROBE_INIT;
        const struct engine *engine = vm_find_engine(name);

        if (!engine)
                return engine_check_name(name, err);
        if (engine->probe(&probe, err) < 0)
                return error_wrap(err, "cannot ask engine '%s' whether it can run here", name);
        if (!probe.usable) {
                error_set(err, ERROR_ENGINE, "engine '%s' can't run here: %s", name,
                          probe.note ? probe.note : "no reason given");
                return error_hint(err, "%s", probe.hint ? probe.hint : "machine doctor");
        }
        *out = engine;
        *why = describe(engine, &probe);
        return 0;
}

/* Adds why "auto" skipped the engines before the one that it took. */
static void add_reasons(char **why, const struct error *passed)
{
        for (; passed; passed = passed->next)
                set_string(why, xasprintf("%s (%s)", *why, passed->message));
}

int engine_choose(const char *wanted, const struct engine **out, char **why, struct error **err)
{
        _cleanup_(error_freep) struct error *first = NULL;

        if (wanted && !streq(wanted, "auto"))
                return choose_named(wanted, out, why, err);
        for (const struct engine *const *engine = vm_engines(); *engine; engine++) {
                struct error *error = NULL;

                if (choose_named((*engine)->name, out, why, &error) == 0) {
                        add_reasons(why, first);
                        return 0;
                }
                error_append(&first, error);
        }
        return first ? error_give(err, TAKE_PTR(first)) : error_set(err, ERROR_ENGINE, "this build has no engine");
}

void engine_warn_slow(const struct engine *engine, struct event_sink *events)
{
        _cleanup_(engine_probe_clear) struct engine_probe probe = ENGINE_PROBE_INIT;
        _cleanup_(freep) char *said = paths_state("said-slow");

        if (file_exists(said) || engine->probe(&probe, NULL) < 0 || !probe.usable || !probe.note)
                return;
        event_warning(events, "%s%s%s (said once; see machine doctor)", probe.note, probe.hint ? "; " : "",
                      probe.hint ? probe.hint : "");
        /* If it can't be written, the warning comes again. */
        (void)file_write_text(said, "", 0600, NULL);
}
