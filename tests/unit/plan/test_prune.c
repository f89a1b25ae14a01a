/* Which layers may be removed, and which must never be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/strbuf.h"
#include "lib/strv.h"
#include "plan/prune.h"

#define MIB (INT64_C(1) << 20)

static char base[] = "base", old_base[] = "old-base", warm[] = "warm", old_warm[] = "old-warm", cold[] = "cold";
static char kind_base[] = "base", kind_template[] = "template";
static char monday[] = "2026-01-05T00:00:00Z", tuesday[] = "2026-01-06T00:00:00Z", friday[] = "2026-01-09T00:00:00Z";

/* A current base with a current template, an old base with its template, and a template that was dropped. */
static struct engine_layer items[] = {
        { .key = base, .kind = kind_base, .used = friday, .disk_bytes = 300 * MIB, .current = true },
        { .key = old_base, .kind = kind_base, .used = monday, .disk_bytes = 200 * MIB },
        { .key = warm,
          .kind = kind_template,
          .parent = base,
          .used = friday,
          .disk_bytes = 3 * MIB,
          .memory_bytes = 200 * MIB,
          .current = true },
        { .key = old_warm,
          .kind = kind_template,
          .parent = old_base,
          .used = monday,
          .disk_bytes = 4 * MIB,
          .memory_bytes = 100 * MIB },
        { .key = cold, .kind = kind_template, .parent = base, .used = tuesday, .disk_bytes = 5 * MIB },
};
static const struct engine_layers layers = { .items = items, .count = ARRAY_SIZE(items) };

/* "key key(memory) …" in the order of the steps. */
static char *steps_text(const struct prune *prune)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        for (size_t i = 0; i < prune->count; i++)
                strbuf_addf(&text, "%s%s%s", i > 0 ? " " : "", items[prune->steps[i].layer].key,
                            prune->steps[i].memory_only ? "(memory)" : "");
        return strbuf_take(&text);
}

static void assert_unused(const char *first, const char *second, bool all, const char *expected)
{
        _cleanup_(strv_clear) struct strv used = STRV_INIT;
        _cleanup_(prune_clear) struct prune prune = PRUNE_INIT;
        _cleanup_(freep) char *text = NULL;

        if (first)
                strv_add(&used, first);
        if (second)
                strv_add(&used, second);
        prune_unused(&layers, &used, all, &prune);
        text = steps_text(&prune);
        assert_string_equal(text, expected);
}

static void what_the_next_vm_is_made_from_stays(void **state)
{
        assert_unused(NULL, NULL, false, "old-warm cold old-base");
}

static void with_all_nothing_stays_that_no_vm_needs(void **state)
{
        assert_unused(NULL, NULL, true, "warm old-warm cold base old-base");
}

static void a_layer_goes_after_what_stands_on_it(void **state)
{
        _cleanup_(strv_clear) struct strv used = STRV_INIT;
        _cleanup_(prune_clear) struct prune prune = PRUNE_INIT;

        prune_unused(&layers, &used, true, &prune);
        for (size_t i = 0; i < prune.count; i++)
                for (size_t j = 0; j < i; j++)
                        assert_false(streq_ptr(items[prune.steps[i].layer].parent, items[prune.steps[j].layer].key));
}

static void what_a_vm_stands_on_stays_down_to_the_ground(void **state)
{
        assert_unused(old_warm, NULL, false, "cold");
        assert_unused(old_base, NULL, false, "old-warm cold");
        assert_unused(cold, old_warm, false, "");
}

static void with_all_a_template_in_use_loses_its_memory_alone(void **state)
{
        assert_unused(old_warm, NULL, true, "warm old-warm(memory) cold base");
        assert_unused(cold, NULL, true, "warm old-warm old-base");
}

static void a_step_says_what_it_frees(void **state)
{
        const struct strv used = STRV_INIT;
        _cleanup_(prune_clear) struct prune prune = PRUNE_INIT;

        prune_unused(&layers, &used, false, &prune);
        assert_int_equal(prune.steps[0].bytes, 104 * MIB);
        assert_int_equal(prune.steps[2].bytes, 200 * MIB);
        assert_int_equal(prune_bytes(&prune), 309 * MIB);
}

static void layers_that_stand_on_one_are_counted_through_others(void **state)
{
        static char top[] = "top", lost[] = "lost";
        struct engine_layer stack[] = { { .key = base, .kind = kind_base },
                                        { .key = warm, .kind = kind_template, .parent = base },
                                        { .key = top, .kind = kind_template, .parent = warm },
                                        { .key = lost, .kind = kind_template, .unsure = true } };
        const struct engine_layers whole = { .items = stack, .count = 3 }, damaged = { .items = stack, .count = 4 };

        assert_int_equal(prune_layers_on(&whole, 0), 2);
        assert_int_equal(prune_layers_on(&whole, 1), 1);
        assert_int_equal(prune_layers_on(&whole, 2), 0);
        assert_int_equal(prune_layers_on(&damaged, 2), 1);
}

static void assert_budget(int64_t budget, const char *expected)
{
        _cleanup_(prune_clear) struct prune prune = PRUNE_INIT;
        _cleanup_(freep) char *text = NULL;

        prune_budget(&layers, budget, &prune);
        text = steps_text(&prune);
        assert_string_equal(text, expected);
}

static void beyond_the_budget_the_memory_not_used_for_longest_goes(void **state)
{
        assert_budget(300 * MIB, "");
        assert_budget(299 * MIB, "old-warm(memory)");
}

static void the_one_that_was_just_used_stays_whatever_the_budget(void **state)
{
        assert_budget(0, "old-warm(memory)");
}

static void what_somebody_works_with_stays_with_all_below_it(void **state)
{
        items[3].held = true;
        assert_unused(NULL, NULL, true, "warm cold base");
        items[3].held = false;
}

static void a_circle_of_layers_ends(void **state)
{
        static char a[] = "a", b[] = "b";
        struct engine_layer circle[] = { { .key = a, .kind = kind_base, .parent = b },
                                         { .key = b, .kind = kind_base, .parent = a } };
        const struct engine_layers both = { .items = circle, .count = ARRAY_SIZE(circle) };
        _cleanup_(strv_clear) struct strv used = STRV_INIT;
        _cleanup_(prune_clear) struct prune prune = PRUNE_INIT;

        strv_add(&used, "a");
        prune_unused(&both, &used, true, &prune);
        assert_int_equal(prune.count, 0);
}

static void a_damaged_layer_may_stand_on_any_other(void **state)
{
        static char lost[] = "lost";
        struct engine_layer damaged[] = { { .key = old_base, .kind = kind_base },
                                          { .key = lost, .kind = kind_template, .unsure = true } };
        const struct engine_layers both = { .items = damaged, .count = ARRAY_SIZE(damaged) };
        _cleanup_(strv_clear) struct strv used = STRV_INIT;
        _cleanup_(prune_clear) struct prune of_a_vm = PRUNE_INIT, of_nobody = PRUNE_INIT;

        prune_unused(&both, &used, true, &of_nobody);
        assert_int_equal(of_nobody.count, 2);
        assert_int_equal(of_nobody.steps[0].layer, 1);
        strv_add(&used, lost);
        prune_unused(&both, &used, true, &of_a_vm);
        assert_int_equal(of_a_vm.count, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_the_next_vm_is_made_from_stays),
                cmocka_unit_test(with_all_nothing_stays_that_no_vm_needs),
                cmocka_unit_test(a_layer_goes_after_what_stands_on_it),
                cmocka_unit_test(what_a_vm_stands_on_stays_down_to_the_ground),
                cmocka_unit_test(with_all_a_template_in_use_loses_its_memory_alone),
                cmocka_unit_test(a_step_says_what_it_frees),
                cmocka_unit_test(layers_that_stand_on_one_are_counted_through_others),
                cmocka_unit_test(beyond_the_budget_the_memory_not_used_for_longest_goes),
                cmocka_unit_test(the_one_that_was_just_used_stays_whatever_the_budget),
                cmocka_unit_test(what_somebody_works_with_stays_with_all_below_it),
                cmocka_unit_test(a_circle_of_layers_ends),
                cmocka_unit_test(a_damaged_layer_may_stand_on_any_other),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
