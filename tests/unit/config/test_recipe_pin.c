/* machine.lock may only give one exact version of that very package. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "config/recipe-pin.h"
#include "config/recipe-steps.h"

static const struct { /* NOLINT(clang-analyzer-optin.performance.Padding) */
        enum recipe_kind kind;
        const char *text;
        bool is_version;
} versions[] = {
        { RECIPE_APT, "2.1.1-1", true },
        { RECIPE_APT, "1:2.39.5-0+deb12u2", true },
        { RECIPE_APT, "1.0~rc1", true },
        { RECIPE_APT_REPO, "1.2.3-1", true },
        { RECIPE_APT, "", false },
        { RECIPE_APT, "2.1-", false },
        { RECIPE_APT, "x", false },
        { RECIPE_APT, ":1", false },
        { RECIPE_APT, "1 -o Dpkg::Pre-Invoke::=x", false },
        { RECIPE_APT, "1;id", false },
        { RECIPE_APT, "1/../../x", false },
        { RECIPE_UV_TOOL, "0.13.2", true },
        { RECIPE_UV_TOOL, "2!1.0rc1.post2.dev3+local.4", true },
        { RECIPE_UV_TOOL, "1.*", false },
        { RECIPE_UV_TOOL, "1+", false },
        { RECIPE_UV_TOOL, "1 @ https://example.org/x", false },
        { RECIPE_UV_TOOL, "1,<2", false },
        { RECIPE_UV_TOOL, "1\tx", false },
        { RECIPE_NPM_GLOBAL, "1.2.3", true },
        { RECIPE_NPM_GLOBAL, "1.2.3-rc.1+build.5", true },
        { RECIPE_NPM_GLOBAL, "npm:@other/x@1.0.0", false },
        { RECIPE_NPM_GLOBAL, "1", false },
        { RECIPE_NPM_GLOBAL, "^1.2.3", false },
        { RECIPE_NPM_GLOBAL, "latest", false },
        { RECIPE_NPM_GLOBAL, "1.2.3 || 9.9.9", false },
        { RECIPE_NPM_GLOBAL, "https://example.org/x.tgz", false },
        { RECIPE_NPM_GLOBAL, "1.2.3/../x", false },
        { RECIPE_SHELL, "1.2.3", false },
};

static void a_version_is_what_its_kind_calls_one(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
                if (recipe_pin_is_version(versions[i].kind, versions[i].text) != versions[i].is_version)
                        fail_msg("'%s' of kind '%s'", versions[i].text, recipe_kind_name(versions[i].kind));
}

static void a_version_without_end_is_none(void **state)
{
        char text[200];

        memset(text, '1', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_false(recipe_pin_is_version(RECIPE_APT, text));
}

static bool is_open(enum recipe_kind kind, const char *item, const char *name)
{
        struct recipe_part part = { 0 };
        struct recipe_step *step = recipe_part_add(&part, kind, "step", 1, 1);
        bool open;

        recipe_step_add_value(step, "packages", item);
        open = recipe_pin_is_open(step, name);
        recipe_step_clear(step);
        free(part.steps);
        return open;
}

static void only_a_package_that_the_step_names_without_a_version_is_open(void **state)
{
        assert_true(is_open(RECIPE_APT, "tree", "tree"));
        assert_true(is_open(RECIPE_APT, "libc6:i386", "libc6:i386"));
        assert_true(is_open(RECIPE_NPM_GLOBAL, "@types/node", "@types/node"));
        assert_true(is_open(RECIPE_UV_TOOL, "ruff", "ruff"));
        assert_true(is_open(RECIPE_UV_TOOL, "ruff", "uv"));
        assert_false(is_open(RECIPE_APT, "tree", "jq"));
        assert_false(is_open(RECIPE_APT, "tree=1", "tree"));
        assert_false(is_open(RECIPE_APT, "tree=1", "tree=1"));
        assert_false(is_open(RECIPE_APT, "tree-", "tree-"));
        assert_false(is_open(RECIPE_NPM_GLOBAL, "a@1", "a"));
        assert_false(is_open(RECIPE_NPM_GLOBAL, "github:a/b", "github:a/b"));
        assert_false(is_open(RECIPE_UV_TOOL, "ruff>=0.4", "ruff>=0.4"));
        assert_false(is_open(RECIPE_SHELL, "tree", "tree"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_version_is_what_its_kind_calls_one),
                cmocka_unit_test(a_version_without_end_is_none),
                cmocka_unit_test(only_a_package_that_the_step_names_without_a_version_is_open),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
