#include "config/recipe.h"

#include "config/recipe-ca.h"
#include "config/recipe-pin.h"
#include "config/recipe-steps.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"

static void part_clear(struct recipe_part *part)
{
        for (size_t i = 0; i < part->step_count; i++)
                recipe_step_clear(&part->steps[i]);
        free(part->steps);
        free(part->name);
        free(part->file);
}

void recipe_clear(struct recipe *recipe)
{
        if (!recipe)
                return;
        for (size_t i = 0; i < recipe->part_count; i++)
                part_clear(&recipe->parts[i]);
        free(recipe->parts);
        free(recipe->architecture);
        free(recipe->suite);
        free(recipe->lock_path);
        *recipe = (struct recipe)RECIPE_INIT;
}

const struct strv *recipe_step_value(const struct recipe_step *step, const char *name)
{
        for (size_t i = 0; i < step->value_count; i++)
                if (streq(step->values[i].name, name))
                        return &step->values[i].items;
        return NULL;
}

void recipe_debian_packages(const struct recipe_part *part, struct strv *out)
{
        for (size_t i = 0; i < part->step_count; i++)
                if (part->steps[i].kind == RECIPE_APT_REPO && !part->steps[i].skipped)
                        return;
        for (size_t i = 0; i < part->step_count; i++) {
                const struct recipe_step *step = &part->steps[i];
                const struct strv *packages = step->kind == RECIPE_APT && !step->skipped && !step->optional
                                                      ? recipe_step_value(step, "packages")
                                                      : NULL;

                for (size_t j = 0; packages && j < packages->count; j++) {
                        _cleanup_(freep) char *name = xstrndup(packages->items[j], strcspn(packages->items[j], "="));

                        if (recipe_pin_is_debian_name(name) && !strv_contains(out, name))
                                strv_add(out, name);
                }
        }
}

bool recipe_has_steps(const struct recipe *recipe)
{
        for (size_t p = 0; p < recipe->part_count; p++)
                for (size_t i = 0; i < recipe->parts[p].step_count; i++)
                        if (!recipe->parts[p].steps[i].skipped)
                                return true;
        return false;
}

/* Checks that the profiles that this one requires come before it. */
static void check_requires(const struct recipe_source *source, const struct recipe *recipe, const struct recipe_part *part,
                           struct error **mistakes)
{
        for (size_t i = 0; i < source->profile.requires.count; i++) {
                const char *wanted = source->profile.requires.items[i];
                struct error *error = NULL;
                bool found = false;

                for (size_t p = 1; p < recipe->part_count; p++)
                        found |= streq(recipe->parts[p].name, wanted);
                if (found)
                        continue;
                error_at(&error, part->file, source->profile.line, source->profile.column,
                         "profile '%s' requires '%s', which doesn't come before it", part->name, wanted);
                error_hint(&error, "profiles = [\"%s\", \"%s\"]", wanted, part->name);
                error_append(mistakes, error);
        }
}

/* Adds the part that the file of `place` comes to. */
static int add_part(const struct recipe_wish *wish, const struct recipe_place *place, const char *name, bool is_profile,
                    struct recipe *recipe, struct error **err)
{
        _cleanup_(recipe_source_clear) struct recipe_source source = RECIPE_SOURCE_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        struct recipe_part part = { .name = xstrdup(name), .file = xstrdup(place->file), .origin = place->origin };
        struct error *mistakes = NULL;

        if (recipe_place_read(place, NULL, &text, NULL, err) < 0 ||
            recipe_source_parse(text.buf, text.len, place->file, is_profile, &source, err) < 0 ||
            (!is_profile && recipe_ca_add(wish->settings, &part, err) < 0)) {
                part_clear(&part);
                return -1;
        }
        check_requires(&source, recipe, &part, &mistakes);
        if (!mistakes && recipe_steps_make(&source, place, recipe, &part, &mistakes) == 0) {
                recipe->parts = xreallocarray(recipe->parts, recipe->part_count + 1, sizeof(*recipe->parts));
                recipe->parts[recipe->part_count++] = part;
                return 0;
        }
        part_clear(&part);
        error_append(err, mistakes);
        return -1;
}

static int add_profile(const struct recipe_wish *wish, size_t i, struct recipe *recipe, struct error **err)
{
        _cleanup_(recipe_place_clear) struct recipe_place place = RECIPE_PLACE_INIT;
        const char *name = wish->profiles->items[i];

        if (!recipe_place_profile(wish->tree, name, &place))
                return wish->profile_places
                               ? recipe_place_unknown(wish->tree, name, wish->profiles_file, wish->profile_places[i].line,
                                                      wish->profile_places[i].column, err)
                               : recipe_place_unknown(wish->tree, name, NULL, 0, 0, err);
        return add_part(wish, &place, name, true, recipe, err);
}

int recipe_read(const struct recipe_wish *wish, struct recipe *out, struct error **err)
{
        _cleanup_(recipe_place_clear) struct recipe_place base = RECIPE_PLACE_INIT;
        _cleanup_(recipe_clear) struct recipe recipe = {
                .architecture = xstrdup(wish->architecture),
                .suite = xstrdup(wish->suite),
                .lock_path = wish->tree ? path_join(wish->tree->folder, "machine.lock") : paths_config("machine.lock"),
        };
        struct error *mistakes = NULL;

        if (recipe_place_base(wish->tree, &base, err) < 0)
                return -1;
        add_part(wish, &base, RECIPE_BASE, false, &recipe, &mistakes);
        for (size_t i = 0; wish->profiles && i < wish->profiles->count; i++) {
                struct error *more = NULL;

                if (add_profile(wish, i, &recipe, &more) < 0)
                        error_append(&mistakes, more);
        }
        if (mistakes) {
                if (err) {
                        error_free(*err);
                        *err = mistakes;
                } else {
                        error_free(mistakes);
                }
                return -1;
        }
        *out = recipe;
        recipe = (struct recipe)RECIPE_INIT;
        return 0;
}
