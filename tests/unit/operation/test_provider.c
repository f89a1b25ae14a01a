/* A program that a VM hasn't got: which line of which file would install it. */
#include "fixture.h"

#include <unistd.h>

#include "operation/provider.h"

static struct strv lacks = STRV_INIT;

static void expect_provider(const char *projects, const char *program, const char *expected)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(freep) char *said = NULL;

        fixture_projects(projects);
        assert_int_equal(target_wanted(&front, "blog", &target, NULL), 0);
        said = provider_of(&target, &lacks, program);
        if (!said || !strstr(said, expected))
                fail_msg("%s: %s", program, said ? said : "nothing");
}

static int setup(void **state)
{
        return fixture_setup(state) < 0 || chdir(*state) < 0 || setenv("MACHINE_DATA_DIR", SHARE_FOLDER, 1) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
        unsetenv("MACHINE_DATA_DIR");
        return chdir("/") < 0 ? -1 : fixture_teardown(state);
}

static void recipe(const char *text)
{
        free(fixture_write("XDG_CONFIG_HOME/machine", "provision.toml", text));
}

static void profile(const char *name, const char *text)
{
        _cleanup_(freep) char *folder = xasprintf("XDG_CONFIG_HOME/machine/profiles/%s", name);

        free(fixture_write(folder, "profile.toml", text));
}

static void the_recipes_own_step_is_named_by_its_line(void **state)
{
        recipe("\n[npm_global]\npackages = [\"other@1\", \"@anthropic-ai/claude-code@2.0.0\"]\n");
        expect_provider("[blog]\n", "claude",
                        "machine/provision.toml:2 installs 'claude', and this VM doesn't have that yet: machine up blog");
}

static void an_optional_step_that_failed_is_named_with_what_tries_it_again(void **state)
{
        recipe("[[npm_global]]\npackages = [\"other\"]\n[[npm_global]]\noptional = true\npackages = [\"@openai/codex\"]\n");
        expect_provider("[blog]\n", "codex", "provision.toml:3 installs 'codex'");
        strv_add(&lacks, "base/npm_global-2 npm: @openai/codex");
        expect_provider("[blog]\n", "codex", "VM 'blog' has no 'codex', because optional step 'base/npm_global-2' (");
        expect_provider("[blog]\n", "codex", "provision.toml:3) failed; to try again: machine up blog");
        expect_provider("[blog]\n", "other", "provision.toml:1 installs 'other'");
        strv_clear(&lacks);
}

static void one_that_is_left_out_says_why(void **state)
{
        recipe("[[uv_tool]]\nuv = \"0.1\"\npackages = [\"aider-chat==1\"]\nwhen = { suite = \"sid\" }\n");
        expect_provider("[blog]\n", "aider", "provision.toml:1 would install 'aider', but is left out: only in sid");
}

static void a_profile_that_the_project_doesnt_have_is_named(void **state)
{
        recipe("");
        profile("mine", "[profile]\nsummary = \"x\"\n\n[npm_global]\npackages = [\"@openai/codex\"]\n");
        expect_provider("[blog]\n", "codex", "profile 'mine' installs 'codex' (");
        expect_provider("[blog]\n", "codex",
                        "profiles/mine/profile.toml:4): add it to the profiles of project 'blog', then: machine up blog");
        expect_provider("[blog]\nprofiles = [\"mine\"]\n", "codex", "profile.toml:4 installs 'codex'");
}

static void what_is_nowhere_gets_the_line_to_add(void **state)
{
        recipe("");
        expect_provider("[blog]\n", "claude",
                        "provision.toml, then: machine up blog\n[npm_global]\npackages = [\"@anthropic-ai/claude-code\"]");
        expect_provider("[blog]\n", "aider", "\n[uv_tool]\npackages = [\"aider-chat\"]");
        expect_provider("[blog]\n", "frob", "no recipe or profile installs 'frob': add a step to ");
}

static void beside_packages_of_the_same_kind_it_is_the_package_to_add(void **state)
{
        recipe("[npm_global]\npackages = [\"pnpm\"]\n");
        expect_provider("[blog]\n", "claude", "add \"@anthropic-ai/claude-code\" to the packages at ");
        expect_provider("[blog]\n", "claude", "provision.toml:1, then: machine up blog");
}

static void a_program_with_its_packages_name_is_found_and_no_other(void **state)
{
        recipe("[apt]\npackages = [\"tmuxinator\", \"tmux\"]\n");
        expect_provider("[blog]\n", "tmux", "provision.toml:1 installs 'tmux'");
        expect_provider("[blog]\n", "tmu", "no recipe or profile installs 'tmu'");
}

static void the_shipped_recipe_has_the_agents(void **state)
{
        static const char *const agents[] = { "claude", "codex", "aider" };

        for (size_t i = 0; i < ARRAY_SIZE(agents); i++)
                expect_provider("[blog]\n", agents[i], "/provision.toml:");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_recipes_own_step_is_named_by_its_line, setup, teardown),
                cmocka_unit_test_setup_teardown(an_optional_step_that_failed_is_named_with_what_tries_it_again, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(one_that_is_left_out_says_why, setup, teardown),
                cmocka_unit_test_setup_teardown(a_profile_that_the_project_doesnt_have_is_named, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_nowhere_gets_the_line_to_add, setup, teardown),
                cmocka_unit_test_setup_teardown(beside_packages_of_the_same_kind_it_is_the_package_to_add, setup, teardown),
                cmocka_unit_test_setup_teardown(a_program_with_its_packages_name_is_found_and_no_other, setup, teardown),
                cmocka_unit_test_setup_teardown(the_shipped_recipe_has_the_agents, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
