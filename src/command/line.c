#include "command/line.h"

static bool has_lan(const struct engine *engine)
{
        for (const struct weaker_line *line = engine->weaker; line && line->id; line++)
                if (line->lan)
                        return true;
        return false;
}

static int check_image(const struct project *project, const struct engine *engine, struct error **err)
{
        if (!project->image || engine->takes_image)
                return 0;
        error_at(err, project->file, project->line, project->column, "engine '%s' can't make project '%s' from an 'image'",
                 engine->name, project->name);
        return error_hint(err, "engine = \"lima\" can; or take 'image' out");
}

static int check_rules(const struct project *project, const struct engine *engine, struct error **err)
{
        if (engine->holds_rules || project->weaker_line || streq(project->egress, "open"))
                return 0;
        error_at(err, project->file, project->line, project->column,
                 "engine '%s' can't hold egress = \"%s\" of project '%s': its guests reach everything", engine->name,
                 project->egress, project->name);
        return error_hint(err, "engine = \"qemu\" holds it; to make do with less: weaker_line = true");
}

int line_check(const struct project *project, const struct engine *engine, struct error **err)
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
        return error_hint(err, "engine = \"qemu\" holds it; to make do with less: weaker_line = true");
}

char *line_text(const struct vm *vm)
{
        _cleanup_(strv_clear) struct strv texts = STRV_INIT;

        engine_weaker_lines(vm->engine, vm->record.lan, NULL, &texts);
        return texts.count > 0 ? strv_join(&texts, "; ") : NULL;
}

void line_note(struct context *context, const struct vm *vm)
{
        _cleanup_(freep) char *text = line_text(vm);

        if (text)
                event_note(context->events, "the line around VM '%s' is weaker than with qemu: %s", vm->name, text);
}
