/* provision.toml and profiles: what is read, what they make together, and every mistake with its place. */
#include "config/recipe-ca.h"
#include "config/recipe.h"

#include <unistd.h>

#include "config/recipe-schema.h"
#include "lib/file.h"
#include "mistakes.h"

static char *root; /* a folder for each test */

static int make_root(void **state)
{
        char template[] = "/tmp/machine-recipe.XXXXXX";

        root = xstrdup(mkdtemp(template));
        setenv("MACHINE_CONFIG_DIR", root, 1);
        setenv("MACHINE_DATA_DIR", SHARE_FOLDER, 1);
        return root ? 0 : -1;
}

static int remove_root(void **state)
{
        int status = file_remove(root, NULL);

        set_string(&root, NULL);
        return status;
}

static void put(const char *name, const char *text)
{
        _cleanup_(freep) char *path = path_join(root, name);
        _cleanup_(freep) char *folder = path_folder(path);

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        assert_int_equal(file_write_text(path, text, 0600, NULL), 0);
}

/* Reads the recipe of provision.toml and these profiles, in the test's folder. */
static int read_for(const char *architecture, const char *const *profiles, struct recipe *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        static const struct project_place places[] = { { 3, 13 }, { 3, 20 }, { 3, 30 } };

        for (; profiles && *profiles; profiles++)
                strv_add(&list, *profiles);
        return recipe_read(&(struct recipe_wish){ .profiles = &list,
                                                  .profiles_file = "p.toml",
                                                  .profile_places = places,
                                                  .architecture = architecture,
                                                  .suite = "trixie" },
                           out, err);
}

static void read_well(const char *architecture, const char *const *profiles, struct recipe *out)
{
        _cleanup_(error_freep) struct error *error = NULL;

        if (read_for(architecture, profiles, out, &error) < 0)
                fail_msg("%s:%u: %s", error->file ? error->file : "", error->line, error->message);
}

static const struct recipe_step *step_of(const struct recipe_part *part, const char *id)
{
        for (size_t i = 0; i < part->step_count; i++)
                if (streq(part->steps[i].id, id))
                        return &part->steps[i];
        fail_msg("no step '%s' in '%s'", id, part->name);
        return NULL;
}

static void assert_items(const struct recipe_step *step, const char *name, const char *expected)
{
        const struct strv *items = recipe_step_value(step, name);
        _cleanup_(freep) char *all = items ? strv_join(items, "|") : NULL;

        assert_non_null(all);
        assert_string_equal(all, expected);
}

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void steps_stand_in_the_fixed_order_whatever_theirs_in_the_file(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        static const char *const ids[] = { "apt_repo-docs", "apt",   "release-fzf", "installer-x", "uv_tool",
                                           "npm_global",    "files", "agents",      "shell",       "shell-two" };

        put("provision.toml",
            "[[shell]]\ncmd = \"true\"\n"
            "[claude]\nplugins = [\"a@b\"]\n"
            "[[files]]\npath = \"/etc/motd\"\ncontent = \"\"\n"
            "[npm_global]\npackages = [\"@a/b\"]\n"
            "[uv_tool]\npackages = [\"ruff\"]\n"
            "[[installer]]\nname = \"x\"\nurl = \"https://example.org/x.sh\"\n"
            "[[release]]\nname = \"fzf\"\nurl = \"https://example.org/fzf.tar.gz\"\nbin = [\"fzf\"]\n"
            "[apt]\npackages = [\"jq\"]\n"
            "[[apt_repo]]\nname = \"docs\"\ndeb = \"https://example.org/deb {codename} main\"\nkey = \"https://example.org/key\"\n"
            "[[shell]]\nname = \"two\"\ncmd = \"true\"\nas_user = true\n");
        read_well("amd64", NULL, &recipe);
        assert_int_equal(recipe.part_count, 1);
        assert_int_equal(recipe.parts[0].step_count, ARRAY_SIZE(ids));
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
                assert_string_equal(recipe.parts[0].steps[i].id, ids[i]);
        assert_items(&recipe.parts[0].steps[0], "deb", "https://example.org/deb trixie main");
        assert_true(recipe.parts[0].steps[9].as_user);
        assert_true(recipe_has_steps(&recipe));
}

static void a_release_is_that_of_the_architecture(void **state)
{
        _cleanup_(recipe_clear) struct recipe amd = RECIPE_INIT;
        _cleanup_(recipe_clear) struct recipe arm = RECIPE_INIT;

        put("provision.toml", "[[release]]\nname = \"fzf\"\nversion = \"1.2\"\nbin = [\"fzf-{arch}/fzf -> fzf\"]\n"
                              "url = \"https://example.org/{version}/fzf-{arch}.tar.gz\"\n"
                              "arch_names = { amd64 = \"x86_64\" }\nsha256 = { amd64 = \"" SHA "\" }\n");
        read_well("amd64", NULL, &amd);
        read_well("arm64", NULL, &arm);
        assert_string_equal(amd.parts[0].steps[0].downloads[0].url, "https://example.org/1.2/fzf-x86_64.tar.gz");
        assert_string_equal(amd.parts[0].steps[0].downloads[0].sha256, SHA);
        assert_items(&amd.parts[0].steps[0], "bin", "fzf-x86_64/fzf -> fzf");
        assert_items(&amd.parts[0].steps[0], "format", "tar.gz");
        assert_string_equal(arm.parts[0].steps[0].downloads[0].url, "https://example.org/1.2/fzf-arm64.tar.gz");
        assert_null(arm.parts[0].steps[0].downloads[0].sha256);
}

static void lists_of_one_file_become_one_step_and_what_does_not_apply_is_skipped(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;

        put("provision.toml",
            "[[apt]]\npackages = [\"git\", \"jq\"]\n"
            "[[apt]]\nwhen = { arch = \"arm64\" }\npackages = [\"chromium\"]\n"
            "[[apt]]\nwhen = { arch = [\"amd64\", \"arm64\"], suite = \"trixie\" }\npackages = [\"jq\", \"zip\"]\n"
            "[[apt]]\nwhen = { suite = \"forky\" }\npackages = [\"new\"]\n");
        read_well("amd64", NULL, &recipe);
        assert_int_equal(recipe.parts[0].step_count, 3);
        assert_items(step_of(&recipe.parts[0], "apt"), "packages", "git|jq|zip");
        assert_string_equal(step_of(&recipe.parts[0], "apt-2")->skipped, "only on arm64");
        assert_string_equal(step_of(&recipe.parts[0], "apt-3")->skipped, "only in forky");
}

static void debians_packages_are_named_for_the_image_where_debian_alone_decides(void **state)
{
        static const char repo[] = "[[apt_repo]]\nname = \"x\"\ndeb = \"https://example.org/deb {codename} main\"\n"
                                   "key = \"https://example.org/key\"\n%s";
        static const char packages[] = "[[apt]]\npackages = [\"g++\", \"jq=1.7\", \"sudo-\", \"?installed\", \"fd/sid\", "
                                       "\"jq\", \"./x.deb\"]\n[[apt]]\npackages = [\"apt-utils\"]\nverify = \"true\"\n"
                                       "[[apt]]\nwhen = { arch = \"arm64\" }\npackages = [\"chromium\"]\n%s";
        static const struct {
                const char *more, *expected;
        } cases[] = {
                { "", "g++|jq|apt-utils" },
                { "when = { arch = \"arm64\" }\n", "g++|jq|apt-utils" },
                { "when = { arch = \"amd64\" }\n", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
                _cleanup_(strv_clear) struct strv names = STRV_INIT;
                _cleanup_(freep) char *source = xasprintf(repo, cases[i].more);
                _cleanup_(freep) char *text = xasprintf(packages, *cases[i].more ? source : "");
                _cleanup_(freep) char *all = NULL;

                put("provision.toml", text);
                read_well("amd64", NULL, &recipe);
                recipe_debian_packages(&recipe.parts[0], &names);
                all = strv_join(&names, "|");
                assert_string_equal(all, cases[i].expected);
        }
}

static void the_base_holds_for_what_a_profile_says_too(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;

        put("provision.toml", "[claude]\ndefault_permission_mode = \"plan\"\n"
                              "[[release]]\nname = \"fzf\"\nurl = \"https://example.org/1.tar.gz\"\nbin = [\"fzf\"]\n"
                              "[[files]]\npath = \"/etc/motd\"\ncontent = \"base\"\n");
        put("profiles/other/profile.toml",
            "[profile]\nsummary = \"other\"\nverify = \"fzf --version\"\n"
            "[claude]\ndefault_permission_mode = \"bypassPermissions\"\nplugins = [\"a@b\"]\n"
            "[[release]]\nname = \"fzf\"\nurl = \"https://example.org/2.tar.gz\"\nbin = [\"fzf\"]\n"
            "[[files]]\npath = \"/etc/motd\"\ncontent = \"profile\"\n"
            "[[files]]\npath = \"{home}/.x\"\nsource = \"x\"\n");
        put("profiles/other/x", "beside\n");
        read_well("amd64", (const char *const[]){ "other", NULL }, &recipe);
        assert_int_equal(recipe.part_count, 2);
        assert_null(recipe_step_value(step_of(&recipe.parts[1], "agents"), "default_permission_mode"));
        assert_items(step_of(&recipe.parts[1], "agents"), "plugins", "a@b");
        assert_non_null(strstr(step_of(&recipe.parts[1], "release-fzf")->skipped, "provision.toml', line 3, has it already"));
        assert_non_null(step_of(&recipe.parts[1], "files")->skipped);
        assert_items(step_of(&recipe.parts[1], "files-2"), "path", "{home}/.x");
        assert_items(step_of(&recipe.parts[1], "files-2"), "owner", "user");
        assert_string_equal(step_of(&recipe.parts[1], "files-2")->files[0].content, "beside\n");
        assert_string_equal(step_of(&recipe.parts[1], "verify")->verify, "fzf --version");
}

static void optional_entries_become_a_step_of_their_own(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        put("provision.toml", "[[apt]]\npackages = [\"git\"]\n"
                              "[[apt]]\noptional = true\npackages = [\"agent\"]\n"
                              "[[apt]]\noptional = false\npackages = [\"jq\"]\n"
                              "[[apt]]\noptional = true\npackages = [\"other\"]\n");
        read_well("amd64", NULL, &recipe);
        assert_int_equal(recipe.parts[0].step_count, 2);
        assert_items(step_of(&recipe.parts[0], "apt"), "packages", "git|jq");
        assert_false(step_of(&recipe.parts[0], "apt")->optional);
        assert_items(step_of(&recipe.parts[0], "apt-2"), "packages", "agent|other");
        assert_true(step_of(&recipe.parts[0], "apt-2")->optional);
        /* An image with them can't do without them. */
        recipe_debian_packages(&recipe.parts[0], &names);
        assert_int_equal(names.count, 2);
}

/* So a VM has the same hash with and without `optional`, and nothing is applied again. */
static void whether_it_is_optional_changes_no_hash(void **state)
{
        static const char *const texts[] = { "[[shell]]\ncmd = \"true\"\n", "[[shell]]\ncmd = \"true\"\noptional = true\n" };
        _cleanup_(freep) char *before = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
                _cleanup_(freep) char *hash = NULL;

                put("provision.toml", texts[i]);
                read_well("amd64", NULL, &recipe);
                assert_int_equal(recipe_resolve(&recipe, &(struct lockfile)LOCKFILE_INIT, NULL), 0);
                hash = recipe_hash(&recipe);
                if (before)
                        assert_string_equal(hash, before);
                set_string(&before, TAKE_PTR(hash));
        }
}

static void what_a_profile_needs_is_not_optional_any_more(void **state)
{
        static const char entry[] = "[[release]]\nname = \"fzf\"\nurl = \"https://example.org/1.tar.gz\"\nbin = [\"fzf\"]\n";
        _cleanup_(freep) char *base = xasprintf("%soptional = true\n", entry);
        _cleanup_(freep) char *profile = xasprintf("[profile]\nsummary = \"x\"\nverify = \"fzf\"\n%s", entry);
        _cleanup_(recipe_clear) struct recipe alone = RECIPE_INIT;
        _cleanup_(recipe_clear) struct recipe both = RECIPE_INIT;

        put("provision.toml", base);
        put("profiles/other/profile.toml", profile);
        read_well("amd64", NULL, &alone);
        assert_true(alone.parts[0].steps[0].optional);
        read_well("amd64", (const char *const[]){ "other", NULL }, &both);
        assert_false(both.parts[0].steps[0].optional);
        assert_non_null(step_of(&both.parts[1], "release-fzf")->skipped);
        assert_true(step_of(&both.parts[1], "verify")->checks_all);
}

static void a_name_for_two_kinds_names_both_places(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        struct error *error = NULL;
        _cleanup_(freep) char *expected =
                xasprintf("%s/profiles/p/profile.toml:3:1: 'fzf' is installer here and release in '%s/provision.toml', line 1 "
                          "[give one of the two another name]\n",
                          root, root);

        put("provision.toml", "[[release]]\nname = \"fzf\"\nurl = \"https://example.org/1.tar.gz\"\nbin = [\"fzf\"]\n");
        put("profiles/p/profile.toml",
            "[profile]\nsummary = \"p\"\n[[installer]]\nname = \"fzf\"\nurl = \"https://example.org/fzf.sh\"\n");
        assert_int_equal(read_for("amd64", (const char *const[]){ "p", NULL }, &recipe, &error), -1);
        assert_mistakes(error, expected);
}

static void an_unknown_profile_is_named_where_it_is_asked_for(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        struct error *error = NULL;

        put("provision.toml", "");
        put("profiles/python/profile.toml", "[profile]\nsummary = \"p\"\n");
        assert_int_equal(read_for("amd64", (const char *const[]){ "python", "pyton", NULL }, &recipe, &error), -1);
        assert_mistakes(error, "p.toml:3:20: no profile 'pyton' [did you mean 'python'?]\n");
}

static void what_a_profile_requires_has_to_come_before_it(void **state)
{
        _cleanup_(recipe_clear) struct recipe right = RECIPE_INIT;
        _cleanup_(recipe_clear) struct recipe wrong = RECIPE_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        put("provision.toml", "");
        put("profiles/one/profile.toml", "[profile]\nsummary = \"p\"\n");
        put("profiles/two/profile.toml", "[profile]\nsummary = \"p\"\nrequires = [\"one\"]\n");
        read_well("amd64", (const char *const[]){ "one", "two", NULL }, &right);
        assert_int_equal(read_for("amd64", (const char *const[]){ "two", "one", NULL }, &wrong, &error), -1);
        assert_string_equal(error->message, "profile 'two' requires 'one', which doesn't come before it");
}

static void all_mistakes_of_a_file_are_listed_with_their_places(void **state)
{
        static const char text[] = "[apt]\npackges = [\"jq\"]\n"
                                   "[[release]]\nname = \"a b\"\nurl = \"http://example.org/x\"\nsha256 = \"12\"\n"
                                   "[[installer]]\nname = \"x\"\nurl = \"https://me:hunter2@example.org/x\"\n"
                                   "[[shell]]\nwhen = { arch = \"amd46\" }\n"
                                   "[release2]\n"
                                   "[[files]]\npath = \"../x\"\nsource = \"../../etc/passwd\"\n";
        static const char *const expected[] = {
                "r.toml:1:1: 'packages' is missing\n",
                "r.toml:2:1: unknown key 'packges' [did you mean 'packages'?]\n",
                "r.toml:4:8: 'a b' can't be a name here",
                "r.toml:5:7: 'http://example.org/x' is not an https URL\n",
                "r.toml:6:10: '12' is not a SHA-256",
                "r.toml:9:7: the URL has a user or password",
                "r.toml:10:1: 'cmd' or 'script' is missing\n",
                "r.toml:11:17: 'arch' must be 'amd64' or 'arm64', not 'amd46' [did you mean 'amd64'?]\n",
                "r.toml:12:2: unknown key 'release2' [did you mean 'release'?]\n",
                "r.toml:14:8: '../x' is not an absolute path",
                "r.toml:15:10: '../../etc/passwd' is not the path of a file beside this one\n",
        };
        struct recipe_source source = RECIPE_SOURCE_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *said = NULL;

        assert_int_equal(recipe_source_parse(text, strlen(text), "r.toml", false, &source, &error), -1);
        said = mistakes_text(error);
        assert_null(strstr(said, "hunter2"));
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
                if (!strstr(said, expected[i]))
                        fail_msg("'%s' is not among:\n%s", expected[i], said);
}

static void profiles_need_their_table_and_the_base_has_none(void **state)
{
        struct recipe_source source = RECIPE_SOURCE_INIT;
        struct error *first = NULL, *second = NULL;
        static const char with[] = "[profile]\nsummary = \"x\"\n";

        assert_int_equal(recipe_source_parse("", 0, "r.toml", true, &source, &first), -1);
        assert_mistakes(first, "r.toml:1:1: [profile] is missing [begin with [profile] and its summary = \"…\"]\n");
        assert_int_equal(recipe_source_parse(with, strlen(with), "r.toml", false, &source, &second), -1);
        assert_mistakes(second, "r.toml:1:1: [profile] is for profiles, not for the base recipe\n");
}

static void the_lock_pins_what_the_recipe_leaves_open(void **state)
{
        _cleanup_(recipe_clear) struct recipe open = RECIPE_INIT;
        _cleanup_(recipe_clear) struct recipe pinned = RECIPE_INIT;
        _cleanup_(lockfile_clear) struct lockfile none = LOCKFILE_INIT;
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;

        put("provision.toml",
            "[apt]\npackages = [\"jq\"]\n[npm_global]\npackages = [\"@a/b\", \"c@2\"]\n"
            "[uv_tool]\npackages = [\"ruff\"]\n[[installer]]\nname = \"x\"\nurl = \"https://example.org/x.sh\"\n");
        read_well("amd64", NULL, &open);
        read_well("amd64", NULL, &pinned);
        lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/apt", "jq", "1.7", NULL);
        lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/npm_global", "@a/b", "3.0.0", NULL);
        lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/npm_global", "c", "4.0.0", NULL);
        lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/uv_tool", "uv", "0.13", NULL);
        lockfile_set(&lock, "amd64", LOCK_DOWNLOADS, "", "https://example.org/x.sh", SHA, NULL);
        assert_int_equal(recipe_resolve(&open, &none, NULL), 0);
        assert_int_equal(recipe_resolve(&pinned, &lock, NULL), 0);
        assert_items(step_of(&pinned.parts[0], "apt"), "packages", "jq=1.7");
        assert_items(step_of(&pinned.parts[0], "npm_global"), "packages", "@a/b@3.0.0|c@2");
        assert_items(step_of(&pinned.parts[0], "uv_tool"), "uv", "0.13");
        assert_string_equal(step_of(&pinned.parts[0], "installer-x")->downloads[0].sha256, SHA);
        assert_true(step_of(&pinned.parts[0], "installer-x")->downloads[0].locked);
        for (size_t i = 0; i < open.parts[0].step_count; i++)
                assert_string_not_equal(open.parts[0].steps[i].hash, pinned.parts[0].steps[i].hash);
}

/* The lock file may have come with a repo, and the user may have looked only at the recipe. */
static void a_lock_that_names_another_package_as_a_version_is_an_error(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(lockfile_clear) struct lockfile lock = { .path = xstrdup("machine.lock") };
        _cleanup_(error_freep) struct error *error = NULL;

        put("provision.toml", "[npm_global]\npackages = [\"left-pad\"]\n");
        read_well("amd64", NULL, &recipe);
        lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/npm_global", "left-pad", "npm:@other/x@1.0.0", NULL);
        assert_int_equal(recipe_resolve(&recipe, &lock, &error), -1);
        assert_string_equal(error->message, "'machine.lock' has 'npm:@other/x@1.0.0' for 'left-pad' of step 'base/npm_global', "
                                            "which is not a version");
        assert_string_equal(error->hint, "machine lock --update base/npm_global");
}

static void a_hash_that_contradicts_the_lock_is_an_error(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(lockfile_clear) struct lockfile lock = { .path = xstrdup("machine.lock") };
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *other = xstrdup(SHA);

        other[0] = 'f';
        put("provision.toml", "[[installer]]\nname = \"x\"\nurl = \"https://example.org/x.sh\"\nsha256 = \"" SHA "\"\n");
        read_well("amd64", NULL, &recipe);
        lockfile_set(&lock, "amd64", LOCK_DOWNLOADS, "", "https://example.org/x.sh", other, NULL);
        assert_int_equal(recipe_resolve(&recipe, &lock, &error), -1);
        assert_int_equal(error->line, 3);
        assert_non_null(strstr(error->message, SHA));
        assert_non_null(strstr(error->message, other));
}

static void a_checkout_that_is_trusted_comes_first_and_is_read_once(void **state)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(strv_clear) struct strv profiles = STRV_INIT;
        _cleanup_(freep) char *checkout = path_join(root, "checkout");

        put("provision.toml", "[apt]\npackages = [\"user\"]\n");
        put("checkout/.machine.toml", "");
        put("checkout/provision.toml", "[apt]\npackages = [\"checkout\"]\n");
        put("checkout/profiles/p/profile.toml", "[profile]\nsummary = \"p\"\n[[shell]]\nscript = \"setup.sh\"\n");
        put("checkout/profiles/p/setup.sh", "as trusted\n");
        assert_int_equal(checkout_tree_read(checkout, &tree, NULL), 0);
        put("checkout/profiles/p/setup.sh", "changed behind\n");
        strv_add(&profiles, "p");
        assert_int_equal(recipe_read(&(struct recipe_wish){ .tree = &tree,
                                                            .profiles = &profiles,
                                                            .architecture = "amd64",
                                                            .suite = "trixie" },
                                     &recipe, NULL),
                         0);
        assert_items(step_of(&recipe.parts[0], "apt"), "packages", "checkout");
        assert_string_equal(step_of(&recipe.parts[1], "shell")->files[0].content, "as trusted\n");
        assert_non_null(strstr(recipe.lock_path, "/checkout/machine.lock"));
}

static void a_link_in_a_checkout_is_refused(void **state)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *checkout = path_join(root, "checkout");
        _cleanup_(freep) char *link = path_join(checkout, "profiles/p/key");

        put("checkout/.machine.toml", "");
        put("checkout/profiles/p/profile.toml", "");
        assert_int_equal(symlink("/etc/hostname", link), 0);
        assert_int_equal(checkout_tree_read(checkout, &tree, &error), -1);
        assert_non_null(strstr(error->message, "is neither a file nor a folder"));
}

static int read_with(const struct settings *settings, struct recipe *out, struct error **err)
{
        return recipe_read(&(struct recipe_wish){ .architecture = "amd64", .suite = "trixie", .settings = settings }, out, err);
}

static void certificates_and_proxies_are_carried_in_when_told_so(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(recipe_clear) struct recipe without = RECIPE_INIT;
        _cleanup_(freep) char *bundle = path_join(root, "ca.pem");

        put("provision.toml", "");
        put("ca.pem", "-----BEGIN CERTIFICATE-----\n");
        setenv("SSL_CERT_FILE", bundle, 1);
        assert_int_equal(read_with(&(struct settings){ .trust_host_ca = true, .proxy = (char *)"http://proxy:3128" }, &recipe,
                                   NULL),
                         0);
        /* After it come the CAs that this computer has of its own. */
        assert_true(starts_with(recipe.parts[0].steps[0].files[0].content, "-----BEGIN CERTIFICATE-----\n"));
        assert_true(recipe_ca_has_host(&recipe));
        assert_items(&recipe.parts[0].steps[0], "proxy",
                     "http_proxy=http://proxy:3128|HTTP_PROXY=http://proxy:3128|"
                     "https_proxy=http://proxy:3128|HTTPS_PROXY=http://proxy:3128");
        assert_int_equal(read_with(&(struct settings){ .proxy = (char *)"none" }, &without, NULL), 0);
        assert_false(recipe_has_steps(&without));
        assert_false(recipe_ca_has_host(&without));
        unsetenv("SSL_CERT_FILE");
}

static void a_proxys_password_is_not_carried_in(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        put("provision.toml", "");
        setenv("http_proxy", "http://me:hunter2@proxy:3128", 1);
        assert_int_equal(read_with(&(struct settings){ .proxy = (char *)"host" }, &recipe, &error), -1);
        assert_null(strstr(error->message, "hunter2"));
        unsetenv("http_proxy");
}

static void the_shipped_recipe_is_valid(void **state)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;

        read_well("amd64", NULL, &recipe);
        assert_string_equal(recipe.parts[0].file, SHARE_FOLDER "/provision.toml");
        assert_true(recipe_has_steps(&recipe));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(steps_stand_in_the_fixed_order_whatever_theirs_in_the_file),
                TEST(a_release_is_that_of_the_architecture),
                TEST(lists_of_one_file_become_one_step_and_what_does_not_apply_is_skipped),
                TEST(debians_packages_are_named_for_the_image_where_debian_alone_decides),
                TEST(the_base_holds_for_what_a_profile_says_too),
                TEST(optional_entries_become_a_step_of_their_own),
                TEST(whether_it_is_optional_changes_no_hash),
                TEST(what_a_profile_needs_is_not_optional_any_more),
                TEST(a_name_for_two_kinds_names_both_places),
                TEST(an_unknown_profile_is_named_where_it_is_asked_for),
                TEST(what_a_profile_requires_has_to_come_before_it),
                TEST(all_mistakes_of_a_file_are_listed_with_their_places),
                TEST(profiles_need_their_table_and_the_base_has_none),
                TEST(the_lock_pins_what_the_recipe_leaves_open),
                TEST(a_lock_that_names_another_package_as_a_version_is_an_error),
                TEST(a_hash_that_contradicts_the_lock_is_an_error),
                TEST(a_checkout_that_is_trusted_comes_first_and_is_read_once),
                TEST(a_link_in_a_checkout_is_refused),
                TEST(certificates_and_proxies_are_carried_in_when_told_so),
                TEST(a_proxys_password_is_not_carried_in),
                TEST(the_shipped_recipe_is_valid),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
