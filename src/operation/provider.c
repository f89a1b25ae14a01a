#include "operation/provider.h"

#include "config/recipe-lack.h"
#include "config/recipe-place.h"
#include "config/recipe-schema.h"
#include "lib/text.h"
#include "operation/recipe.h"

/* Programs whose package has another name. */
static const struct known {
        const char *program;
        enum recipe_kind kind;
        const char *package;
} known[] = {
        { "claude", RECIPE_NPM_GLOBAL, "@anthropic-ai/claude-code" },
        { "codex", RECIPE_NPM_GLOBAL, "@openai/codex" },
        { "aider", RECIPE_UV_TOOL, "aider-chat" },
};

static const struct known *find_known(const char *program)
{
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(known[i].program, program))
                        return &known[i];
        return NULL;
}

/* Is the package `item`, as a recipe writes it ("@openai/codex@0.169.0", "aider-chat==0.86.2", "jq"), this one? */
static bool is_package(const char *item, const char *package)
{
        size_t length = strlen(package);

        return starts_with(item, package) && (item[length] == '\0' || strchr("@=<>~![", item[length]));
}

static bool installs(const struct strv *packages, const char *program)
{
        const struct known *other = find_known(program);

        for (size_t i = 0; packages && i < packages->count; i++)
                if (is_package(packages->items[i], other ? other->package : program))
                        return true;
        return false;
}

/* --- in the project's recipe */

/* Also finds the part that has it. */
static const struct recipe_step *find_step(const struct recipe *recipe, const char *program, const struct recipe_part **part)
{
        const struct recipe_step *skipped = NULL;

        for (size_t p = 0; p < recipe->part_count; p++) {
                for (size_t i = 0; i < recipe->parts[p].step_count; i++) {
                        const struct recipe_step *step = &recipe->parts[p].steps[i];

                        if (!installs(recipe_step_value(step, "packages"), program))
                                continue;
                        *part = &recipe->parts[p];
                        if (!step->skipped)
                                return step;
                        skipped = step;
                }
        }
        return skipped;
}

static char *say_step(const struct recipe_step *step, const char *program, const char *name)
{
        if (step->skipped)
                return xasprintf("%s:%u would install '%s', but is left out: %s", step->file, step->line, program,
                                 step->skipped);
        return xasprintf("%s:%u installs '%s', and this VM doesn't have that yet: machine up %s", step->file, step->line,
                         program, name);
}

static char *say_failed(const struct recipe_part *part, const struct recipe_step *step, const char *program, const char *name)
{
        return xasprintf("VM '%s' has no '%s', because optional step '%s/%s' (%s:%u) failed; to try again: machine up %s", name,
                         program, part->name, step->id, step->file, step->line, name);
}

/* --- in a profile that the project doesn't have */

/* Returns the line in the profile's file that installs it, or 0. */
static unsigned line_in_profile(const struct recipe_place *place, const char *program)
{
        _cleanup_(recipe_source_clear) struct recipe_source source = RECIPE_SOURCE_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (recipe_place_read(place, NULL, &text, NULL, NULL) < 0 ||
            recipe_source_parse(text.buf, text.len, place->file, true, &source, NULL) < 0)
                return 0;
        for (size_t i = 0; i < source.count; i++)
                if (installs(&source.entries[i].packages, program))
                        return source.entries[i].line;
        return 0;
}

static char *say_profile(const struct target *target, const char *program)
{
        const struct checkout_tree *tree = target->project.checkout ? &target->tree : NULL;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (recipe_place_profiles(tree, &names, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(recipe_place_clear) struct recipe_place place = RECIPE_PLACE_INIT;
                unsigned line = recipe_place_profile(tree, names.items[i], &place) ? line_in_profile(&place, program) : 0;

                if (line > 0)
                        return xasprintf("profile '%s' installs '%s' (%s:%u): add it to the profiles of project '%s', then: "
                                         "machine up %s",
                                         names.items[i], program, place.file, line, target->name, target->name);
        }
        return NULL;
}

/* --- nowhere */

/* Says which line is missing, and where: with the packages of the same kind, if the base has any. */
static char *say_missing(const struct recipe *recipe, const char *program, const char *name)
{
        const struct recipe_part *base = &recipe->parts[0];
        const struct known *other = find_known(program);

        for (size_t i = 0; other && i < base->step_count; i++)
                if (base->steps[i].kind == other->kind)
                        return xasprintf("to install it, add \"%s\" to the packages at %s:%u, then: machine up %s",
                                         other->package, base->steps[i].file, base->steps[i].line, name);
        if (!other)
                return xasprintf("no recipe or profile installs '%s': add a step to %s, then: machine up %s", program,
                                 base->file, name);
        return xasprintf("to install it, add these lines to %s, then: machine up %s\n%s%s%s\npackages = [\"%s\"]", base->file,
                         name, recipe_section_is_list(other->kind) ? "[[" : "[", recipe_section_name(other->kind),
                         recipe_section_is_list(other->kind) ? "]]" : "]", other->package);
}

char *provider_of(const struct target *target, const struct strv *lacks, const char *program)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        const struct recipe_part *part = NULL;
        const struct recipe_step *step;
        char *profile;

        if (!target->configured || recipe_as_written(target, &recipe, NULL) < 0 || recipe.part_count == 0)
                return NULL;
        step = find_step(&recipe, program, &part);
        if (step && recipe_lack_has(lacks, part, step))
                return say_failed(part, step, program, target->name);
        if (step)
                return say_step(step, program, target->name);
        profile = say_profile(target, program);
        return profile ? profile : say_missing(&recipe, program, target->name);
}
