/* .machine.toml: how it is found, what it gives, and what git is asked about its checkout. */
#include <sys/stat.h>
#include <unistd.h>

#include "config/checkout.h"
#include "mistakes.h"

#include "lib/file.h"
#include "lib/process.h"

/* A temporary folder with a home and a checkout in it. */
struct fixture {
        char *root;
        char *checkout; /* root/home/Blog Two */
};

static char *below(const struct fixture *fixture, const char *name)
{
        return path_join(fixture->root, name);
}

static void write_below(const struct fixture *fixture, const char *name, const char *text)
{
        _cleanup_(freep) char *path = below(fixture, name);
        _cleanup_(freep) char *folder = path_folder(path);

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        assert_int_equal(file_write_text(path, text, 0600, NULL), 0);
}

static int setup(void **state)
{
        struct fixture *fixture = xcalloc(1, sizeof(*fixture));
        _cleanup_(freep) char *folder = xstrdup("/tmp/machine-checkout-XXXXXX");
        _cleanup_(freep) char *home = NULL;

        assert_non_null(mkdtemp(folder));
        fixture->root = realpath(folder, NULL);
        fixture->checkout = below(fixture, "home/Blog Two");
        home = below(fixture, "home");
        assert_int_equal(file_make_folders(fixture->checkout, 0700, NULL), 0);
        assert_int_equal(setenv("HOME", home, 1), 0);
        assert_int_equal(setenv("GIT_CONFIG_NOSYSTEM", "1", 1), 0);
        assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
        *state = fixture;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *fixture = *state;
        int status = file_remove(fixture->root, NULL);

        free(fixture->root);
        free(fixture->checkout);
        free(fixture);
        return status;
}

static void git(const struct fixture *fixture, const char *first, const char *second, const char *third)
{
        const char *const argv[] = { "git", "-C", fixture->checkout, first, second, third, NULL };
        _cleanup_(error_freep) struct error *error = NULL;

        if (process_check(&(struct process_spec){ .argv = argv }, NULL, &error) < 0)
                fail_msg("%s", error->message);
}

static void assert_found(const char *folder, const char *expected)
{
        _cleanup_(freep) char *found = checkout_find(folder);

        if (!streq_ptr(found, expected))
                fail_msg("from '%s': '%s'", folder, found ? found : "(nothing)");
}

static void the_nearest_file_upwards_is_found(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *deep = below(fixture, "home/Blog Two/src/deep");
        _cleanup_(freep) char *source = below(fixture, "home/Blog Two/src");
        _cleanup_(freep) char *link = below(fixture, "link");

        assert_int_equal(file_make_folders(deep, 0700, NULL), 0);
        assert_found(deep, NULL);
        write_below(fixture, "home/Blog Two/.machine.toml", "");
        assert_found(deep, fixture->checkout);
        assert_found(fixture->checkout, fixture->checkout);
        write_below(fixture, "home/Blog Two/src/.machine.toml", "");
        assert_found(deep, source);
        assert_int_equal(symlink(deep, link), 0);
        assert_found(link, source);
}

static void nothing_above_home_is_found_from_below_it(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *home = below(fixture, "home");
        _cleanup_(freep) char *beside = below(fixture, "beside");

        write_below(fixture, ".machine.toml", "");
        assert_found(fixture->checkout, NULL);
        assert_found(home, NULL);
        assert_int_equal(file_make_folders(beside, 0700, NULL), 0);
        assert_found(beside, fixture->root);
        write_below(fixture, "home/.machine.toml", "");
        assert_found(fixture->checkout, home);
}

static void only_a_file_counts(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *path = below(fixture, "home/Blog Two/.machine.toml");

        assert_int_equal(mkfifo(path, 0600), 0);
        assert_found(fixture->checkout, NULL);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("/dev/zero", path), 0);
        assert_found(fixture->checkout, NULL);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("nowhere", path), 0);
        assert_found(fixture->checkout, fixture->checkout);
}

static void a_folder_that_is_gone_has_none(void **state)
{
        assert_found("/nowhere/at/all", NULL);
}

static void parse(const char *text, const char *checkout, struct project *project)
{
        struct error *error = NULL;

        if (checkout_parse(text, strlen(text), "m.toml", checkout, NULL, project, &error) < 0) {
                _cleanup_(freep) char *said = mistakes_text(error);

                error_free(error);
                fail_msg("%s", said);
        }
}

static void the_name_comes_from_the_folder_or_the_file(void **state)
{
        _cleanup_(project_clear) struct project folder = PROJECT_INIT, file = PROJECT_INIT;

        parse("", "/home/jane/My Blog (new)", &folder);
        assert_string_equal(folder.name, "my-blog-new");
        assert_string_equal(folder.checkout, "/home/jane/My Blog (new)");
        assert_string_equal(folder.file, "m.toml");
        parse("cpus = 1\nname = 'shop'\n", "/home/jane/My Blog (new)", &file);
        assert_string_equal(file.name, "shop");
        assert_int_equal(file.line, 2);
        assert_int_equal(file.cpus, 1);
}

static void assert_checkout_mistakes(const char *text, const char *checkout, const char *expected)
{
        struct project project = PROJECT_INIT;
        struct error *error = NULL;

        assert_int_equal(checkout_parse(text, strlen(text), "m.toml", checkout, NULL, &project, &error), -1);
        assert_null(project.name);
        assert_mistakes(error, expected);
}

static void its_mistakes_have_places_too(void **state)
{
        assert_checkout_mistakes("nam = 'x'\n", "/x", "m.toml:1:1: unknown key 'nam' [did you mean 'name'?]\n");
        assert_checkout_mistakes(
                "[blog]\ncpus = 1\n", "/x",
                "m.toml:1:2: unknown key 'blog' [known keys: name, repos, profiles, setup, shell, forward_agent, keys, key_hosts, confirm, cpus, memory, "
                "disk, engine, image, image_digest, ports, lan, egress, allow, weaker_line, cold, park_after, wake_on]\n");
        assert_checkout_mistakes(
                "[secrets]\nA = 'env:A'\n", "/x",
                "m.toml:1:2: 'secrets' is only allowed in projects.toml: a repo may not say what this computer reads [put it "
                "into your projects.toml, below a [NAME] of the same repos]\n");
        assert_checkout_mistakes(
                "name = 'My App'\ncpus = 0\n", "/x",
                "m.toml:1:8: 'My App' can't be a project's name [call it 'my-app': names have a-z, 0-9 and '-', start and "
                "end with a letter or digit, and have at most 40 characters]\n"
                "m.toml:2:8: 'cpus' must be between 1 and 256, not 0\n");
        assert_checkout_mistakes("", "/", "m.toml:1:1: no project name can be made from the folder's name '/' [set 'name']\n");
        assert_checkout_mistakes("", "/\303\274",
                                 "m.toml:1:1: no project name can be made from the folder's name '\303\274' [set 'name']\n");
        assert_checkout_mistakes(
                "repos = ['.', 'work:x']\n", "/home/jane/x",
                "m.toml:1:15: '.' and 'work:x' would both become the folder '~/code/x' [take one of them out]\n");
}

static void the_checkout_as_a_repo_is_named_after_its_folder(void **state)
{
        _cleanup_(project_clear) struct project plain = PROJECT_INIT, odd = PROJECT_INIT;

        parse("repos = ['work:theme', '.']\n", "/home/jane/blog.v2", &plain);
        assert_int_equal(plain.repo_count, 2);
        assert_string_equal(plain.repos[1].url, ".");
        assert_string_equal(plain.repos[1].name, "blog.v2");
        assert_int_equal(plain.repos[1].column, 24);
        /* This can't be the name of a folder in ~/code, so the project's name is taken. */
        parse("repos = ['.']\n", "/home/jane/My Blog", &odd);
        assert_string_equal(odd.repos[0].name, "my-blog");
}

static void defaults_come_from_projects_toml(void **state)
{
        static const char text[] = "default_shell = 'bash'\ndefault_profile = 'node'\n[blog]\n";
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(project_clear) struct project project = PROJECT_INIT;

        assert_int_equal(projects_parse(text, strlen(text), "p.toml", &projects, NULL), 0);
        assert_int_equal(checkout_parse("", 0, "m.toml", "/x", &projects, &project, NULL), 0);
        assert_string_equal(project.shell, "bash");
        assert_string_equal(project.profiles.items[0], "node");
}

/* Reads the fixture's checkout, which must have this one repo. */
static void assert_repo(const struct fixture *fixture, const char *url, const char *name)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (checkout_read(fixture->checkout, NULL, &project, &error) < 0)
                fail_msg("%s", error->message);
        assert_string_equal(project.checkout, fixture->checkout);
        assert_int_equal(project.repo_count, 1);
        assert_string_equal(project.repos[0].url, url);
        assert_string_equal(project.repos[0].name, name);
}

static void assert_not_read(const struct fixture *fixture, enum error_kind kind, const char *said, const char *hint)
{
        _cleanup_(error_freep) struct error *error = NULL;
        struct project project = PROJECT_INIT;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(checkout_read(fixture->checkout, NULL, &project, &error), -1);
        text = error_text(error);
        assert_int_equal(error->kind, kind);
        if (!strstr(text, said))
                fail_msg("%s", text);
        assert_non_null(error->hint);
        if (!strstr(error->hint, hint))
                fail_msg("%s", error->hint);
}

static void without_repos_it_is_gits_origin(void **state)
{
        const struct fixture *fixture = *state;

        write_below(fixture, "home/Blog Two/.machine.toml", "cpus = 1\n");
        git(fixture, "init", "--quiet", ".");
        git(fixture, "config", "remote.origin.url", "git@example.org:jane/blog.git");
        assert_repo(fixture, "git@example.org:jane/blog.git", "blog");
}

static void an_empty_list_of_repos_is_one(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(project_clear) struct project project = PROJECT_INIT;

        write_below(fixture, "home/Blog Two/.machine.toml", "repos = []\n");
        git(fixture, "init", "--quiet", ".");
        git(fixture, "config", "remote.origin.url", "git@example.org:jane/blog.git");
        assert_int_equal(checkout_read(fixture->checkout, NULL, &project, NULL), 0);
        assert_int_equal(project.repo_count, 0);
}

static void without_an_origin_it_is_the_checkout(void **state)
{
        const struct fixture *fixture = *state;

        write_below(fixture, "home/Blog Two/.machine.toml", "");
        assert_repo(fixture, ".", "blog-two");
        git(fixture, "init", "--quiet", ".");
        assert_repo(fixture, ".", "blog-two");
}

static void an_origin_on_this_computer_is_the_checkout(void **state)
{
        static const char *const origins[] = { "/srv/git/blog.git", "../blog", "./a:b", "blog", "file:///srv/git/blog.git" };
        const struct fixture *fixture = *state;

        write_below(fixture, "home/Blog Two/.machine.toml", "");
        git(fixture, "init", "--quiet", ".");
        for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
                git(fixture, "config", "remote.origin.url", origins[i]);
                assert_repo(fixture, ".", "blog-two");
        }
}

static void an_origin_is_checked_as_any_url(void **state)
{
        static const char *const origins[] = { "--upload-pack=touch /tmp/x", "ext::sh",
                                               "ssh://-oProxyCommand=id/x",  "http://example.org/x",
                                               "https://example.org/a\nb",   "host:.." };
        const struct fixture *fixture = *state;

        write_below(fixture, "home/Blog Two/.machine.toml", "");
        git(fixture, "init", "--quiet", ".");
        for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
                git(fixture, "config", "remote.origin.url", origins[i]);
                assert_not_read(fixture, ERROR_CONFIG, "the git origin of '", "set 'repos' in '");
        }
}

static void gits_variables_do_not_lead_elsewhere(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *other = below(fixture, "other.git");
        _cleanup_(freep) char *config = path_join(other, "config");
        const char *const argv[] = { "git", "init", "--quiet", "--bare", other, NULL };

        write_below(fixture, "home/Blog Two/.machine.toml", "");
        git(fixture, "init", "--quiet", ".");
        git(fixture, "config", "remote.origin.url", "work:mine");
        assert_int_equal(process_check(&(struct process_spec){ .argv = argv }, NULL, NULL), 0);
        assert_int_equal(
                file_write_text(config,
                                "[core]\nbare = true\nrepositoryformatversion = 0\n[remote \"origin\"]\nurl = work:theirs\n",
                                0600, NULL),
                0);
        assert_int_equal(setenv("GIT_DIR", other, 1), 0);
        assert_int_equal(setenv("GIT_CONFIG", config, 1), 0);
        assert_repo(fixture, "work:mine", "mine");
        assert_int_equal(unsetenv("GIT_DIR"), 0);
        assert_int_equal(unsetenv("GIT_CONFIG"), 0);
}

static void a_bare_repository_among_the_files_is_not_believed(void **state)
{
        const struct fixture *fixture = *state;

        /* This is all that git needs to take a folder for a bare repository. A stranger's repo can contain it. */
        write_below(fixture, "home/Blog Two/.machine.toml", "");
        write_below(fixture, "home/Blog Two/HEAD", "ref: refs/heads/main\n");
        write_below(fixture, "home/Blog Two/config",
                    "[core]\nbare = true\nrepositoryformatversion = 0\n[remote \"origin\"]\nurl = work:evil\n");
        write_below(fixture, "home/Blog Two/objects/x", "");
        write_below(fixture, "home/Blog Two/refs/x", "");
        assert_repo(fixture, ".", "blog-two");
}

static void the_repositorys_configuration_runs_nothing(void **state)
{
        static const char *const keys[] = { "core.fsmonitor",  "core.pager",        "core.editor",
                                            "core.sshCommand", "credential.helper", "alias.config" };
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *proof = below(fixture, "proof");
        _cleanup_(freep) char *script = below(fixture, "evil");
        _cleanup_(freep) char *text = xasprintf("#!/bin/sh\n: >'%s'\n", proof);

        write_below(fixture, "home/Blog Two/.machine.toml", "");
        assert_int_equal(file_write_text(script, text, 0700, NULL), 0);
        git(fixture, "init", "--quiet", ".");
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                git(fixture, "config", keys[i], script);
        git(fixture, "config", "remote.origin.url", "work:blog");
        assert_repo(fixture, "work:blog", "blog");
        assert_false(file_exists(proof));
}

static void a_repository_that_leads_elsewhere_is_an_error_that_says_what_to_do(void **state)
{
        const struct fixture *fixture = *state;

        write_below(fixture, "home/Blog Two/.machine.toml", "");
        write_below(fixture, "home/Blog Two/.git", "gitdir: ../other/.git\n");
        assert_not_read(fixture, ERROR_CONFIG, "leads to a repository that doesn't name this folder", "set 'repos' in '");
}

static void a_missing_file_is_said_to_be(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        struct project project = PROJECT_INIT;

        assert_int_equal(checkout_read(fixture->checkout, NULL, &project, &error), -1);
        assert_int_equal(error->kind, ERROR_NOT_FOUND);
        assert_int_equal(checkout_read("/nowhere/at/all", NULL, &project, &error), -1);
        assert_int_equal(error->kind, ERROR_NOT_FOUND);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_nearest_file_upwards_is_found, setup, teardown),
                cmocka_unit_test_setup_teardown(nothing_above_home_is_found_from_below_it, setup, teardown),
                cmocka_unit_test_setup_teardown(only_a_file_counts, setup, teardown),
                cmocka_unit_test(a_folder_that_is_gone_has_none),
                cmocka_unit_test(the_name_comes_from_the_folder_or_the_file),
                cmocka_unit_test(its_mistakes_have_places_too),
                cmocka_unit_test(the_checkout_as_a_repo_is_named_after_its_folder),
                cmocka_unit_test(defaults_come_from_projects_toml),
                cmocka_unit_test_setup_teardown(without_repos_it_is_gits_origin, setup, teardown),
                cmocka_unit_test_setup_teardown(an_empty_list_of_repos_is_one, setup, teardown),
                cmocka_unit_test_setup_teardown(without_an_origin_it_is_the_checkout, setup, teardown),
                cmocka_unit_test_setup_teardown(an_origin_on_this_computer_is_the_checkout, setup, teardown),
                cmocka_unit_test_setup_teardown(an_origin_is_checked_as_any_url, setup, teardown),
                cmocka_unit_test_setup_teardown(gits_variables_do_not_lead_elsewhere, setup, teardown),
                cmocka_unit_test_setup_teardown(a_bare_repository_among_the_files_is_not_believed, setup, teardown),
                cmocka_unit_test_setup_teardown(the_repositorys_configuration_runs_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(a_repository_that_leads_elsewhere_is_an_error_that_says_what_to_do, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_missing_file_is_said_to_be, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
