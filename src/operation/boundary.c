#include "operation/boundary.h"

static bool has_lan(const struct engine *engine)
{
        for (const struct weaker_line *line = engine->weaker; line && line->id; line++)
                if (line->lan)
                        return true;
        return false;
}

static const struct engine *engine_that_takes_images(void)
{
        const struct engine *const *engine = vm_engines();

        while (*engine && !(*engine)->takes_image)
                engine++;
        return *engine;
}

static int hint_holds(struct error **err)
{
        const struct engine *whole = vm_whole_engine();

        return whole ? error_hint(err, "engine = \"%s\" holds it; to accept less: weaker_line = true", whole->name)
                     : error_hint(err, "to accept less: weaker_line = true");
}

static int check_image(const struct project *project, const struct engine *engine, struct error **err)
{
        const struct engine *other = engine_that_takes_images();

        if (!project->image || engine->takes_image)
                return 0;
        error_at(err, project->file, project->line, project->column, "engine '%s' can't make project '%s' from an 'image'",
                 engine->name, project->name);
        return other ? error_hint(err, "engine = \"%s\" can; or remove 'image'", other->name)
                     : error_hint(err, "remove 'image'");
}

static int check_rules(const struct project *project, const struct engine *engine, struct error **err)
{
        if (engine->change_rules || project->weaker_line || streq(project->egress, "open"))
                return 0;
        error_at(err, project->file, project->line, project->column,
                 "engine '%s' can't hold egress = \"%s\" of project '%s': its guests reach everything", engine->name,
                 project->egress, project->name);
        return hint_holds(err);
}

int boundary_check(const struct project *project, const struct engine *engine, struct error **err)
{
        if (check_image(project, engine, err) < 0 || check_rules(project, engine, err) < 0)
                return -1;
        if (project->weaker_line || !project->lan_given || project->lan || !has_lan(engine))
                return 0;
        if (project->file)
                error_at(
                        err, project->file, project->line, project->column,
                        "engine '%s' can't hold 'lan = false' of project '%s': its guests reach the network around this computer",
                        engine->name, project->name);
        else
                error_set(err, ERROR_CONFIG, "engine '%s' can't hold 'lan = false'", engine->name);
        return hint_holds(err);
}

char *boundary_text(const struct vm *vm)
{
        _cleanup_(strv_clear) struct strv texts = STRV_INIT;

        engine_weaker_lines(vm->engine, vm->record.lan, NULL, &texts);
        return texts.count > 0 ? strv_join(&texts, "; ") : NULL;
}

void boundary_note(struct front *front, const struct vm *vm)
{
        _cleanup_(freep) char *text = boundary_text(vm);

        if (text)
                event_note(front->events, "engine '%s' can't hold all of the line around VM '%s': %s", vm->engine->name,
                           vm->name, text);
}
