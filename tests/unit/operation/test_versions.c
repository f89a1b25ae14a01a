/* A second project with the same recipe gets the same versions. One with its own versions, or with another recipe, does not. */
#include "fixture.h"

#include <unistd.h>

#include "host/guest-system.h"
#include "operation/versions.h"

#define RECIPE  "[apt]\npackages = ['jq']\n[[release]]\nname = 'tool'\nurl = 'https://example.org/tool'\nformat = 'binary'\n"
#define PROFILE "[profile]\nsummary = 'of the test'\n[npm_global]\npackages = ['left-pad']\n"

static int say_yes(struct front *who, const struct checkout_tree *tree, bool changed, struct error **err)
{
        return 1;
}

/* Makes and opens a checkout of that name, with its own machine.lock unless `lock` is NULL. */
static void open_checkout(struct target *target, const char *name, const char *lock)
{
        _cleanup_(freep) char *folder = xasprintf("code/%s", name);
        _cleanup_(freep) char *file = fixture_write(folder, CHECKOUT_FILE, "repos = []\nprofiles = ['mine']\n");
        _cleanup_(freep) char *checkout = path_folder(file);

        if (lock)
                free(fixture_write(folder, "machine.lock", lock));
        front.ask_trust = say_yes;
        assert_int_equal(chdir(checkout), 0);
        assert_int_equal(target_wanted(&front, NULL, target, NULL), 0);
}

/* The text of a checkout's machine.lock. Owned by the caller. */
static char *lock_of(const struct target *target)
{
        _cleanup_(freep) char *path = path_join(target->project.checkout, "machine.lock");

        return file_exists(path) ? scratch_read(path) : xstrdup("");
}

/* A lock file with these versions, for this computer's architecture. Owned by the caller. */
static char *lock_text(const char *jq, const char *pad)
{
        const char *architecture = guest_architecture(NULL);

        return xasprintf("[%s.versions.\"base/apt\"]\njq = \"%s\"\n[%s.versions.\"mine/npm_global\"]\nleft-pad = \"%s\"\n",
                         architecture, jq, architecture, pad);
}

static int setup(void **state)
{
        if (fixture_setup(state) < 0)
                return -1;
        free(fixture_write("XDG_CONFIG_HOME/machine", "provision.toml", RECIPE));
        free(fixture_write("XDG_CONFIG_HOME/machine/profiles/mine", "profile.toml", PROFILE));
        return 0;
}

static int leave(void **state)
{
        return chdir("/") < 0 ? -1 : fixture_teardown(state);
}

/* Remembers these versions as if a first project had filled layers with them. */
static void fill_first(const char *jq, const char *pad)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(freep) char *lock = lock_text(jq, pad);

        open_checkout(&target, "first", lock);
        assert_int_equal(versions_remember(&target, 0, NULL), 0);
        assert_int_equal(versions_remember(&target, 1, NULL), 0);
}

static void a_second_project_gets_the_versions_of_the_first(void **state)
{
        _cleanup_(target_clear) struct target second = TARGET_INIT;
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(freep) char *text = NULL;

        fill_first("1.7-1", "1.3.0");
        open_checkout(&second, "second", NULL);
        /* Resolving writes nothing. */
        assert_int_equal(recipe_resolved(&second, &recipe, NULL), 0);
        assert_string_equal(recipe_step_value(&recipe.parts[0].steps[0], "packages")->items[0], "jq=1.7-1");
        text = lock_of(&second);
        assert_string_equal(text, "");
        assert_int_equal(versions_adopt(&front, &second, NULL), 0);
        set_string(&text, lock_of(&second));
        assert_non_null(strstr(text, "jq = \"1.7-1\""));
        assert_non_null(strstr(text, "left-pad = \"1.3.0\""));
}

static void a_lock_file_that_names_versions_is_left_as_it_is(void **state)
{
        _cleanup_(target_clear) struct target second = TARGET_INIT;
        _cleanup_(freep) char *own = NULL;
        _cleanup_(freep) char *text = NULL;

        fill_first("1.7-1", "1.3.0");
        own = lock_text("1.6-2", "1.2.0");
        open_checkout(&second, "second", own);
        assert_int_equal(versions_adopt(&front, &second, NULL), 0);
        text = lock_of(&second);
        assert_string_equal(text, own);
}

static void another_base_says_nothing_of_a_profile(void **state)
{
        _cleanup_(target_clear) struct target second = TARGET_INIT;
        _cleanup_(freep) char *text = NULL;

        fill_first("1.7-1", "1.3.0");
        free(fixture_write("code/second", "provision.toml", "[apt]\npackages = ['jq']\n[[shell]]\ncmd = 'true'\n"));
        open_checkout(&second, "second", NULL);
        assert_int_equal(versions_adopt(&front, &second, NULL), 0);
        text = lock_of(&second);
        assert_string_equal(text, "");
}

static void what_is_forgotten_is_resolved_anew(void **state)
{
        _cleanup_(target_clear) struct target second = TARGET_INIT;
        _cleanup_(freep) char *text = NULL;

        fill_first("1.7-1", "1.3.0");
        open_checkout(&second, "second", NULL);
        assert_int_equal(versions_forget(&second, NULL), 0);
        assert_int_equal(versions_adopt(&front, &second, NULL), 0);
        text = lock_of(&second);
        assert_string_equal(text, "");
        /* Nothing is left to forget. */
        assert_int_equal(versions_forget(&second, NULL), 0);
}

static void the_last_filling_counts(void **state)
{
        _cleanup_(target_clear) struct target second = TARGET_INIT;
        _cleanup_(freep) char *text = NULL;

        fill_first("1.7-1", "1.3.0");
        fill_first("1.8-1", "1.3.1");
        open_checkout(&second, "second", NULL);
        assert_int_equal(versions_adopt(&front, &second, NULL), 0);
        text = lock_of(&second);
        assert_non_null(strstr(text, "jq = \"1.8-1\""));
}

static void a_damaged_memory_counts_as_none(void **state)
{
        _cleanup_(freep) char *folder = path_join(*state, "XDG_DATA_HOME/machine/versions");
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(target_clear) struct target second = TARGET_INIT;
        _cleanup_(freep) char *text = NULL;

        fill_first("1.7-1", "1.3.0");
        assert_int_equal(file_list(folder, &names, NULL), 0);
        assert_int_equal(names.count, 2);
        for (size_t i = 0; i < names.count; i++)
                free(fixture_write("XDG_DATA_HOME/machine/versions", names.items[i], "[amd64.ver"));
        open_checkout(&second, "second", NULL);
        assert_int_equal(versions_adopt(&front, &second, NULL), 0);
        text = lock_of(&second);
        assert_string_equal(text, "");
}

#define TEST_THERE(function) cmocka_unit_test_setup_teardown(function, setup, leave)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST_THERE(a_second_project_gets_the_versions_of_the_first),
                TEST_THERE(a_lock_file_that_names_versions_is_left_as_it_is),
                TEST_THERE(another_base_says_nothing_of_a_profile),
                TEST_THERE(what_is_forgotten_is_resolved_anew),
                TEST_THERE(the_last_filling_counts),
                TEST_THERE(a_damaged_memory_counts_as_none),
        };

        return cmocka_run_group_tests_name("operation/versions", tests, NULL, NULL);
}
