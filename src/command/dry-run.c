#include "command/dry-run.h"

#include "command/result.h"
#include "lib/text.h"
#include "operation/observe.h"
#include "operation/target.h"
#include "plan/plan.h"
#include "show/recipe.h"
#include "vm/vm.h"

static void print_step(const struct recipe_step *step)
{
        const struct strv *packages = recipe_step_value(step, "packages");
        _cleanup_(freep) char *title = text_visible_dup(step->title);
        _cleanup_(freep) char *all = packages && !step->skipped ? strv_join(packages, " ") : NULL;

        printf("  %-20s %s", step->id, title);
        if (step->line > 0)
                printf(" (line %u)", step->line);
        if (step->optional && !step->skipped)
                printf(", optional");
        printf(step->skipped ? ": left out, %s\n" : "\n", step->skipped);
        if (all)
                printf("  %-20s %s\n", "", all);
        for (size_t i = 0; i < step->download_count && !step->skipped; i++)
                printf("  %-20s %s: %s\n", "", step->downloads[i].url, show_download_state(&step->downloads[i]));
}

static void print_recipe(const struct recipe *recipe)
{
        for (size_t p = 0; p < recipe->part_count; p++) {
                const struct recipe_part *part = &recipe->parts[p];

                printf("recipe %s: %s (%s)\n", part->name, part->file, part->origin);
                for (size_t i = 0; i < part->step_count; i++)
                        print_step(&part->steps[i]);
        }
}

static void print_outlook(const struct outlook *outlook)
{
        for (size_t i = 0; i < outlook->count; i++) {
                _cleanup_(freep) char *text = outlook_text(&outlook->items[i]);

                printf("%-15s %s: %s\n", "layer", outlook->items[i].what, text);
        }
}

static void print(struct context *context, const struct plan *plan, const struct outlook *outlook, const struct recipe *recipe)
{
        for (size_t i = 0; i < plan->notes.count; i++)
                event_note(context->front.events, "%s", plan->notes.items[i]);
        if (context->mode == OUTPUT_JSON) {
                result_json(show_plan(plan, outlook, recipe));
                return;
        }
        for (size_t i = 0; i < plan->count; i++)
                printf("%-15s %s\n", plan_step_name(plan->steps[i].type), plan->steps[i].reason);
        print_outlook(outlook);
        print_recipe(recipe);
}

int dry_run(struct context *context, const char *name, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(outlook_clear) struct outlook outlook = OUTLOOK_INIT;
        _cleanup_(plan_clear) struct plan plan = PLAN_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        /* Nothing is written. */
        context->front.offer_project = NULL;
        if (target_for_up(&context->front, name, &target, err) < 0 || vm_open(&vm, target.name, err) < 0 ||
            observe_preview(&vm, &target, &plan, &recipe, err) < 0)
                return -1;
        /* Errors are left to the `up` that builds them. */
        if (plan_has(&plan, PLAN_CREATE))
                observe_outlook(&target, &outlook, NULL);
        print(context, &plan, &outlook, &recipe);
        return 0;
}
