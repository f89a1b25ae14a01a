#include "command/recipe-view.h"

#include "host/guest-system.h"
#include "lib/text.h"

int recipe_view_recipe(const struct target *target, struct recipe *out, struct error **err)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        const char *architecture = guest_architecture(err);

        if (!architecture || settings_read(&settings, err) < 0)
                return -1;
        return recipe_read(&(struct recipe_wish){ .tree = target->project.checkout ? &target->tree : NULL,
                                                  .profiles = &target->project.profiles,
                                                  .profiles_file = target->project.profiles_file,
                                                  .profile_places = target->project.profile_places,
                                                  .architecture = architecture,
                                                  .suite = GUEST_SUITE,
                                                  .settings = &settings },
                           out, err);
}

int recipe_view_read(const struct target *target, struct recipe *out, struct error **err)
{
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;

        if (recipe_view_recipe(target, out, err) < 0)
                return -1;
        return lockfile_read(out->lock_path, &lock, err) < 0 || recipe_resolve(out, &lock, err) < 0 ? -1 : 0;
}

static const char *download_state(const struct recipe_download *download)
{
        return !download->sha256 ? "will be recorded" : download->locked ? "locked" : "pinned";
}

static void print_step(const struct recipe_step *step)
{
        const struct strv *packages = recipe_step_value(step, "packages");
        _cleanup_(freep) char *title = text_visible_dup(step->title);
        _cleanup_(freep) char *all = packages && !step->skipped ? strv_join(packages, " ") : NULL;

        printf("  %-20s %s", step->id, title);
        if (step->line > 0)
                printf(" (line %u)", step->line);
        printf(step->skipped ? ": left out, %s\n" : "\n", step->skipped);
        if (all)
                printf("  %-20s %s\n", "", all);
        for (size_t i = 0; i < step->download_count && !step->skipped; i++)
                printf("  %-20s %s: %s\n", "", step->downloads[i].url, download_state(&step->downloads[i]));
}

void recipe_view_print(const struct recipe *recipe)
{
        for (size_t p = 0; p < recipe->part_count; p++) {
                const struct recipe_part *part = &recipe->parts[p];

                printf("recipe %s: %s (%s)\n", part->name, part->file, part->origin);
                for (size_t i = 0; i < part->step_count; i++)
                        print_step(&part->steps[i]);
        }
}

static json_t *downloads_json(const struct recipe_step *step)
{
        json_t *array = json_array();

        for (size_t i = 0; i < step->download_count; i++) {
                const struct recipe_download *download = &step->downloads[i];

                json_array_append_new(array, json_pack("{s:s, s:s?, s:s}", "url", download->url, "sha256", download->sha256,
                                                       "state", download_state(download)));
        }
        return array;
}

static json_t *packages_json(const struct recipe_step *step)
{
        const struct strv *packages = recipe_step_value(step, "packages");

        return packages ? json_strings(packages) : json_array();
}

void recipe_view_json(const struct recipe *recipe, json_t *steps)
{
        for (size_t p = 0; p < recipe->part_count; p++) {
                const struct recipe_part *part = &recipe->parts[p];

                for (size_t i = 0; i < part->step_count; i++) {
                        const struct recipe_step *step = &part->steps[i];

                        json_array_append_new(steps, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s?, s:s?, s:o, s:o}",
                                                               "step", "recipe", "reason", step->title, "part", part->name,
                                                               "id", step->id, "kind", recipe_kind_name(step->kind), "file",
                                                               step->file, "origin", part->origin, "line", (int)step->line,
                                                               "skipped", step->skipped, "hash", step->hash, "packages",
                                                               packages_json(step), "downloads", downloads_json(step)));
                }
        }
}
