#include "show/recipe.h"

#include "config/recipe-lack.h"

const char *show_download_state(const struct recipe_download *download)
{
        return !download->sha256 ? "will be recorded" : download->locked ? "locked" : "pinned";
}

json_t *show_lacks(const struct strv *lacks)
{
        json_t *array = json_array();

        for (size_t i = 0; i < lacks->count; i++) {
                _cleanup_(freep) char *step = recipe_lack_step(lacks->items[i]);

                json_array_append_new(array,
                                      json_pack("{s:s, s:s}", "step", step, "title", recipe_lack_title(lacks->items[i])));
        }
        return array;
}

static json_t *downloads_json(const struct recipe_step *step)
{
        json_t *array = json_array();

        for (size_t i = 0; i < step->download_count; i++) {
                const struct recipe_download *download = &step->downloads[i];

                json_array_append_new(array, json_pack("{s:s, s:s?, s:s}", "url", download->url, "sha256", download->sha256,
                                                       "state", show_download_state(download)));
        }
        return array;
}

static json_t *packages_json(const struct recipe_step *step)
{
        const struct strv *packages = recipe_step_value(step, "packages");

        return packages ? json_strings(packages) : json_array();
}

static void add_recipe(const struct recipe *recipe, json_t *steps)
{
        for (size_t p = 0; p < recipe->part_count; p++) {
                const struct recipe_part *part = &recipe->parts[p];

                for (size_t i = 0; i < part->step_count; i++) {
                        const struct recipe_step *step = &part->steps[i];

                        json_array_append_new(steps,
                                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:s?, s:s?, s:o, s:o}",
                                                        "step", "recipe", "reason", step->title, "part", part->name, "id",
                                                        step->id, "kind", recipe_kind_name(step->kind), "file", step->file,
                                                        "origin", part->origin, "line", (int)step->line, "optional",
                                                        step->optional, "skipped", step->skipped, "hash", step->hash,
                                                        "packages", packages_json(step), "downloads", downloads_json(step)));
                }
        }
}

static void add_outlook(const struct outlook *outlook, json_t *steps)
{
        for (size_t i = 0; i < outlook->count; i++) {
                const struct outlook_item *item = &outlook->items[i];
                _cleanup_(freep) char *text = outlook_text(item);
                bool known = item->cost.ms > 0;

                json_array_append_new(steps,
                                      json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "step", "layer", "reason", text, "what",
                                                item->what, "built", item->built, "expected_seconds",
                                                known ? json_real((double)item->cost.ms / 1000) : json_null(), "expected_bytes",
                                                known ? json_integer((json_int_t)item->cost.bytes) : json_null()));
        }
}

json_t *show_plan(const struct plan *plan, const struct outlook *outlook, const struct recipe *recipe)
{
        json_t *steps = json_array();

        for (size_t i = 0; i < plan->count; i++)
                json_array_append_new(steps, json_pack("{s:s, s:s}", "step", plan_step_name(plan->steps[i].type), "reason",
                                                       plan->steps[i].reason));
        add_outlook(outlook, steps);
        add_recipe(recipe, steps);
        return steps;
}
