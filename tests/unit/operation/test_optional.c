/*
 * Optional steps of a recipe: what a failed one leaves out of layers and VMs, and that the next run makes up for it. The guest
 * is a folder of this computer: `ssh` is a script that runs the real guest/recipe/run with the guest's paths led there.
 */
#include "fixture.h"

#include <pwd.h>
#include <unistd.h>

#include "config/lockfile.h"
#include "config/recipe-lack.h"
#include "lib/process.h"
#include "operation/recipe-apply.h"
#include "operation/recipe-layers.h"
#include "operation/target.h"
#include "operation/up.h"

/* --- the guest */

static const char make_guest[] =
        "led='s#/var/lib/machine#$GUEST/lib#g; s#/var/log/machine#$GUEST/log#g; s#/run/machine-recipe#$GUEST/run#g; "
        "s#cd /root#cd \"$GUEST\"#g'\n"
        "mkdir -p bin data/guest/template guests mirror\n"
        "cp -R \"$SHARE/../guest/recipe\" data/guest/recipe\n"
        "cp \"$SHARE\"/../guest/template/strip \"$SHARE\"/../guest/template/settle data/guest/template\n"
        "sed -i \"$led\" data/guest/recipe/run data/guest/recipe/kinds/common\n"
        "cat >bin/sudo <<'E'\n#!/bin/sh\nshift\nexec \"$@\"\nE\n"
        "cat >bin/runuser <<'E'\n#!/bin/sh\nshift 3\nexec \"$@\"\nE\n"
        "cat >bin/ssh <<E\n#!/bin/sh\nfor last; do :; done\n"
        "led() { sed '$led'; }\n"
        "command=\\$(printf '%s' \"\\$last\" | led)\n"
        "case \\$last in\n*'sh -s'*) led | exec sh -c \"\\$command\" ;;\n*) exec sh -c \"\\$command\" ;;\nesac\nE\n"
        "chmod 755 bin/*\n";

static const char *folder;

static void fail_with(const struct error *error)
{
        _cleanup_(freep) char *text = error_text(error);

        fail_msg("%s", text);
}

static void shell(const char *script)
{
        const char *const argv[] = { "sh", "-euc", script, NULL };
        _cleanup_(error_freep) struct error *error = NULL;

        if (process_check(&(struct process_spec){ .argv = argv, .folder = folder }, NULL, &error) < 0)
                fail_with(error);
}

/* What the steps wrote into `ran` in the guest that GUEST names, in one line. */
static char *ran(void)
{
        _cleanup_(freep) char *path = path_join(getenv("GUEST"), "ran");
        char *text = file_exists(path) ? scratch_read(path) : xstrdup("");

        for (char *at = text; *at; at++)
                if (*at == '\n')
                        *at = ' ';
        return text;
}

static void expect_ran(const char *expected)
{
        _cleanup_(freep) char *there = ran();

        assert_string_equal(there, expected);
}

/* --- an engine that keeps its layers in memory, and the folder of each guest */

#define MOST 16

static struct engine_layer made[MOST];
static size_t made_count;
static size_t fillings;

static const struct engine_layer *find_made(const char *key)
{
        for (size_t i = 0; i < made_count; i++)
                if (streq(made[i].key, key))
                        return &made[i];
        return NULL;
}

static int layering_base(const char *user, const struct strv *packages, bool make, struct event_sink *events, char **key,
                         struct error **err)
{
        *key = xstrdup("image");
        return 1;
}

static int layering_has(const char *key, struct error **err)
{
        return find_made(key) ? 1 : 0;
}

static int layering_layers(const char *user, struct engine_layers *out, struct error **err)
{
        out->items = xcalloc(made_count + 1, sizeof(*out->items));
        for (; out->count < made_count; out->count++) {
                struct engine_layer *item = &out->items[out->count];

                item->key = xstrdup(made[out->count].key);
                strv_add_all(&item->lacks, &made[out->count].lacks);
        }
        return 0;
}

static void enter(const char *guest)
{
        _cleanup_(freep) char *path = xasprintf("%s/guests/%s", folder, guest);

        assert_int_equal(file_make_folders(path, 0700, NULL), 0);
        setenv("GUEST", path, 1);
}

/* Makes the guest's folder as the one of the layer below left its own. */
static void enter_copy(const char *guest, const char *below)
{
        _cleanup_(freep) char *script = xasprintf("rm -rf 'guests/%s'; mkdir -p 'guests/%s'; cp -R 'guests/%s' 'guests/%s'",
                                                  guest, below, below, guest);

        shell(script);
        enter(guest);
}

static struct vm guest_vm(const char *name)
{
        struct vm vm = VM_INIT;

        vm.name = xstrdup(name);
        vm.folder = path_join(folder, name);
        vm.record.user = xstrdup(getpwuid(geteuid())->pw_name);
        return vm;
}

static int layering_fill(const struct engine_filling *wanted, struct event_sink *events, char **key, struct error **err)
{
        _cleanup_(engine_filled_clear) struct engine_filled filled = ENGINE_FILLED_INIT;
        _cleanup_(vm_clear) struct vm vm = guest_vm("recipe");
        _cleanup_(freep) char *script = NULL;

        if (!find_made(wanted->key)) {
                fillings++;
                enter_copy("filling", wanted->parent);
                if (wanted->fill(&vm, wanted->data, events, &filled, err) < 0)
                        return -1;
        }
        if (filled.key && !find_made(filled.key)) {
                assert_true(made_count < MOST);
                made[made_count] = (struct engine_layer){ .key = xstrdup(filled.key), .parent = xstrdup(wanted->parent) };
                strv_add_all(&made[made_count++].lacks, &filled.lacks);
                script = xasprintf("rm -rf 'guests/%s'; cp -R guests/filling 'guests/%s'", filled.key, filled.key);
                shell(script);
        }
        *key = xstrdup(filled.key ? filled.key : wanted->key);
        return 0;
}

static const struct engine layering = {
        .name = "layering",
        .base_layer = layering_base,
        .has_layer = layering_has,
        .layers = layering_layers,
        .fill_layer = layering_fill,
};

/* --- the surroundings */

static int setup(void **state)
{
        static const struct engine *const engines[] = { &layering, NULL };
        _cleanup_(freep) char *path = NULL;
        _cleanup_(freep) char *data = NULL;

        if (fixture_setup(state) < 0 || chdir(*state) < 0)
                return -1;
        folder = *state;
        made_count = fillings = 0;
        vm_set_engines(engines);
        project_set_engines((const char *const[]){ "layering", NULL });
        path = xasprintf("%s/bin:/usr/local/bin:/usr/bin:/bin", folder);
        data = path_join(folder, "data");
        setenv("SHARE", SHARE_FOLDER, 1);
        shell(make_guest);
        setenv("MIRROR", *state, 1);
        fixture_projects("[blog]\nengine = \"layering\"\nrepos = []\n");
        return setenv("PATH", path, 1) < 0 || setenv("MACHINE_DATA_DIR", data, 1) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
        for (size_t i = 0; i < made_count; i++) {
                free(made[i].key);
                free(made[i].parent);
                strv_clear(&made[i].lacks);
        }
        setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
        unsetenv("MACHINE_DATA_DIR");
        return chdir("/") < 0 ? -1 : fixture_teardown(state);
}

#define STEP(name, more, script) "[[shell]]\nname = '" name "'\n" more "cmd = '''\n" script "echo " name " >>$GUEST/ran\n'''\n"
#define NEEDS(what)              "test -e $MIRROR/" what " || { echo \"no route to " what "\" >&2; exit 7; }\n"

static const char recipe[] = STEP("one", "", "") STEP("agent", "optional = true\n", NEEDS("agents"))
        STEP("other", "optional = true\n", NEEDS("others")) STEP("two", "", "");

static void write_recipe(const char *text)
{
        free(fixture_write("XDG_CONFIG_HOME/machine", "provision.toml", text));
}

static void write_profile(const char *text)
{
        free(fixture_write("XDG_CONFIG_HOME/machine/profiles/mine", "profile.toml", text));
        fixture_projects("[blog]\nengine = \"layering\"\nrepos = []\nprofiles = [\"mine\"]\n");
}

static void reach(const char *what)
{
        _cleanup_(freep) char *path = path_join(folder, what);

        scratch_write(path, "");
}

/* Makes the layers of a new VM. `lacks` is what they lack, in one line. */
static void expect_layers(const char *lacks, struct recipe_layers *out)
{
        struct vm_record record = { .user = getpwuid(geteuid())->pw_name };
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *there = NULL;

        fake.warnings[0] = '\0';
        recipe_layers_clear(out);
        assert_int_equal(target_wanted(&front, "blog", &target, NULL), 0);
        if (recipe_layers_ensure(&front, &layering, &record, &target, out, &error) < 0)
                fail_with(error);
        there = strv_join(&out->lacks, "|");
        assert_string_equal(there, lacks);
}

/* --- layers */

static void the_rest_is_done_and_the_layer_has_a_key_of_its_own(void **state)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;

        write_recipe(recipe);
        reach("others");
        expect_layers("base/shell-agent shell agent", &layers);
        expect_ran("one other two ");
        assert_int_equal(made_count, 1);
        assert_string_equal(made[0].key, layers.key);
        assert_non_null(strstr(fake.warnings, "VM 'blog' goes without 'shell agent': optional step 'base/shell-agent' ("));
        assert_non_null(strstr(fake.warnings, "provision.toml:6) failed: exit status 7: no route to agents; the rest: less '"));
        assert_non_null(strstr(fake.warnings, "logs/recipe-base-shell-agent.log'; to try again: machine up blog"));
}

static void the_next_vm_tries_only_what_is_missing_and_then_the_layer_is_whole(void **state)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers first = RECIPE_LAYERS_INIT;
        _cleanup_(recipe_layers_clear) struct recipe_layers next = RECIPE_LAYERS_INIT;

        write_recipe(recipe);
        expect_layers("base/shell-agent shell agent|base/shell-other shell other", &first);
        expect_ran("one two ");
        /* As it was: the same layer again. */
        expect_layers("base/shell-agent shell agent|base/shell-other shell other", &next);
        assert_string_equal(next.key, first.key);
        expect_ran("one two ");
        reach("agents");
        expect_layers("base/shell-other shell other", &next);
        expect_ran("one two agent ");
        assert_string_not_equal(next.key, first.key);
        reach("others");
        expect_layers("", &next);
        expect_ran("one two agent other ");
        assert_string_equal(fake.warnings, "");
        /* This one stands on the incomplete one, and is what each VM wanted: nothing more is filled. */
        assert_int_equal(made[2].lacks.count, 0);
        assert_string_equal(made[2].key, next.key);
        assert_string_equal(made[2].parent, made[1].key);
        assert_string_equal(made[1].parent, made[0].key);
        fillings = 0;
        expect_layers("", &first);
        assert_string_equal(first.key, next.key);
        assert_int_equal(fillings, 0);
}

/* As when a VM in use has recorded the hash of a download by then, or the recipe was mended. */
static void a_failed_step_may_have_changed_by_then(void **state)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;

        write_recipe(STEP("one", "", "") STEP("agent", "optional = true\n", NEEDS("agents")) STEP("two", "", ""));
        expect_layers("base/shell-agent shell agent", &layers);
        write_recipe(STEP("one", "", "") STEP("agent", "optional = true\n", "echo from elsewhere\n") STEP("two", "", ""));
        expect_layers("", &layers);
        expect_ran("one two agent ");
        assert_string_equal(made[1].parent, made[0].key);
        /* When another step has changed, it is another layer. */
        write_recipe(STEP("one", "", "") STEP("agent", "optional = true\n", NEEDS("agents")) STEP("two", "", "true\n"));
        expect_layers("base/shell-agent shell agent", &layers);
        expect_ran("one two ");
        assert_string_equal(made[2].parent, "image");
}

static void what_is_found_beforehand_names_the_incomplete_layer_and_its_rest(void **state)
{
        _cleanup_(recipe_layers_found_clear) struct recipe_layers_found found = RECIPE_LAYERS_FOUND_INIT;
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;
        _cleanup_(target_clear) struct target target = TARGET_INIT;

        write_recipe(recipe);
        reach("others");
        expect_layers("base/shell-agent shell agent", &layers);
        assert_int_equal(target_wanted(&front, "blog", &target, NULL), 0);
        assert_int_equal(recipe_layers_find(&layering, &target, "me", &found, NULL), 0);
        assert_int_equal(found.keys.count, 2);
        assert_string_equal(found.keys.items[1], layers.key);
        assert_int_equal(found.missing.count, 1);
        assert_string_equal(found.missing.items[0], "the rest of base");
}

/* The profile's layer on an incomplete base is another than on the whole one. */
static void each_layer_of_a_stack_says_what_it_lacks(void **state)
{
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;
        _cleanup_(freep) char *before = NULL;

        write_recipe(recipe);
        write_profile("[profile]\nsummary = 'x'\nverify = 'test -e $MIRROR/extra'\n" STEP("extra", "optional = true\n",
                                                                                          NEEDS("extra")));
        reach("others");
        expect_layers("base/shell-agent shell agent|mine/shell-extra shell extra|mine/verify verify the profile", &layers);
        before = xstrdup(layers.key);
        reach("agents");
        reach("extra");
        expect_layers("", &layers);
        expect_ran("one other two agent extra ");
        assert_string_not_equal(layers.key, before);
}

static void a_step_that_is_not_optional_stops_all(void **state)
{
        struct vm_record record = { .user = getpwuid(geteuid())->pw_name };
        _cleanup_(recipe_layers_clear) struct recipe_layers layers = RECIPE_LAYERS_INIT;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        write_recipe(STEP("maybe", "optional = true\n", NEEDS("agents")) STEP("must", "", NEEDS("others"))
                             STEP("after", "", ""));
        assert_int_equal(target_wanted(&front, "blog", &target, NULL), 0);
        assert_int_equal(recipe_layers_ensure(&front, &layering, &record, &target, &layers, &error), -1);
        assert_int_equal(error->kind, ERROR_STEP);
        assert_non_null(
                strstr(error->cause->message, "step 'shell-must' of the recipe's part 'base' failed with exit status 7"));
        assert_non_null(strstr(fake.warnings, "goes without 'shell maybe'"));
        assert_int_equal(made_count, 0);
        expect_ran("");
}

/* --- in a VM */

/* Applies the recipe in the VM, as `up` does. */
static void expect_applied(const char *lacks, char **hash)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(vm_clear) struct vm vm = guest_vm("blog");
        _cleanup_(strv_clear) struct strv has = STRV_INIT;
        _cleanup_(freep) char *there = NULL;

        fake.warnings[0] = '\0';
        enter("blog");
        assert_int_equal(target_wanted(&front, "blog", &target, NULL), 0);
        set_string(hash, NULL);
        if (recipe_apply(&front, &vm, &target, &has, hash, &error) < 0)
                fail_with(error);
        there = strv_join(&has, "|");
        assert_string_equal(there, lacks);
}

static void a_vm_tries_again_just_what_it_lacks(void **state)
{
        _cleanup_(freep) char *first = NULL;
        _cleanup_(freep) char *hash = NULL;

        write_recipe(recipe);
        reach("others");
        expect_applied("base/shell-agent shell agent", &first);
        expect_ran("one other two ");
        expect_applied("base/shell-agent shell agent", &hash);
        expect_ran("one other two ");
        reach("agents");
        expect_applied("", &hash);
        expect_ran("one other two agent ");
        assert_string_equal(first, hash);
        expect_applied("", &hash);
        expect_ran("one other two agent ");
}

/* The profile's check needs what isn't there. It runs when the rest is. */
static void what_would_check_a_missing_step_waits_for_it(void **state)
{
        _cleanup_(freep) char *hash = NULL;

        write_recipe("");
        write_profile("[profile]\nsummary = 'x'\nverify = 'test -e $GUEST/ran && echo checked >>$GUEST/ran'\n" STEP(
                "extra", "optional = true\n", NEEDS("extra")));
        expect_applied("mine/shell-extra shell extra|mine/verify verify the profile", &hash);
        expect_ran("");
        reach("extra");
        expect_applied("", &hash);
        expect_ran("extra checked ");
}

static void a_download_that_fails_is_a_failed_step(void **state)
{
        static const char fake_curl[] =
                "printf '#!/bin/sh\\necho \"curl: (6) no such host\" >&2\\nexit 6\\n' >bin/curl; chmod 755 bin/curl";
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;
        _cleanup_(freep) char *hash = NULL;
        _cleanup_(freep) char *path = path_join(folder, "XDG_CONFIG_HOME/machine/machine.lock");

        setenv("XDG_CACHE_HOME", folder, 1);
        shell(fake_curl);
        write_recipe(
                "[[installer]]\nname = 'agent'\noptional = true\nurl = 'https://example.org/agent.sh'\n" STEP("one", "", ""));
        expect_applied("base/installer-agent installer agent", &hash);
        expect_ran("one ");
        assert_non_null(strstr(fake.warnings, "provision.toml:1) failed: cannot download 'https://example.org/agent.sh': "));
        assert_non_null(strstr(fake.warnings, "no such host"));
        assert_int_equal(lockfile_read(path, &lock, NULL), 0);
        assert_int_equal(lock.count, 0);
        lockfile_clear(&lock);
        shell("printf '#!/bin/sh\\nfor to; do case $to in */file) echo \"echo agent >>$GUEST/ran\" >\"$to\" ;; esac; done\\n' >bin/curl");
        expect_applied("", &hash);
        expect_ran("one agent ");
        assert_int_equal(lockfile_read(path, &lock, NULL), 0);
        assert_int_equal(lock.count, 1);
        assert_string_equal(lock.entries[0].name, "https://example.org/agent.sh");
}

static void expect_not_whole(const struct vm *vm, const struct up_result *up, const char *message, const char *hint)
{
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(up_check_whole(vm, up, &err), -1);
        assert_int_equal(err->kind, ERROR_STEP);
        assert_string_equal(err->message, message);
        assert_true(streq_ptr(err->hint, hint));
}

/* `up --strict` */
static void a_vm_that_lacks_something_is_not_whole(void **state)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(error_freep) struct error *both = NULL;
        struct up_result up = { 0 };

        vm.name = xstrdup("blog");
        assert_int_equal(up_check_whole(&vm, &up, NULL), 0);
        up.not_set_up = 2;
        expect_not_whole(&vm, &up, "2 repos of project 'blog' could not be set up", NULL);
        strv_add(&vm.record.lacks, "base/uv_tool-2 uv: aider");
        assert_int_equal(up_check_whole(&vm, &up, &both), -1);
        assert_string_equal(both->next->message, "VM 'blog' lacks 1 optional step of its recipe");
        up.not_set_up = 0;
        expect_not_whole(&vm, &up, "VM 'blog' lacks 1 optional step of its recipe", "machine status blog names it");
        strv_add(&vm.record.lacks, "base/shell-x shell x");
        expect_not_whole(&vm, &up, "VM 'blog' lacks 2 optional steps of its recipe", "machine status blog names them");
}

#undef TEST
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(the_rest_is_done_and_the_layer_has_a_key_of_its_own),
                TEST(the_next_vm_tries_only_what_is_missing_and_then_the_layer_is_whole),
                TEST(a_failed_step_may_have_changed_by_then),
                TEST(what_is_found_beforehand_names_the_incomplete_layer_and_its_rest),
                TEST(each_layer_of_a_stack_says_what_it_lacks),
                TEST(a_step_that_is_not_optional_stops_all),
                TEST(a_vm_tries_again_just_what_it_lacks),
                TEST(what_would_check_a_missing_step_waits_for_it),
                TEST(a_download_that_fails_is_a_failed_step),
                TEST(a_vm_that_lacks_something_is_not_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
