/* Which repositories are read, and that git then sees their content but obeys nothing in them. */
#include "scratch.h"

#include <unistd.h>

#include "host/git.h"
#include "host/repository.h"
#include "lib/process.h"

static char *base;

static int setup(void **state)
{
        _cleanup_(freep) char *folder = NULL;

        if (scratch_setup(state) < 0)
                return -1;
        base = realpath(*state, NULL);
        folder = path_join(base, "run");
        if (mkdir(folder, 0700) < 0 || setenv("XDG_RUNTIME_DIR", folder, 1) < 0)
                return -1;
        setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
        setenv("GIT_AUTHOR_NAME", "A", 1);
        setenv("GIT_AUTHOR_EMAIL", "a@example.org", 1);
        setenv("GIT_COMMITTER_NAME", "A", 1);
        setenv("GIT_COMMITTER_EMAIL", "a@example.org", 1);
        return setenv("HOME", base, 1);
}

static int teardown(void **state)
{
        free(base);
        return scratch_teardown(state);
}

/* Makes the repository `here` (one commit) and somebody else's, `secret`, then runs a script in the test's folder. */
static void make(const char *script)
{
        static const char *const start =
                "set -e; rm -rf here secret lib tree\n"
                "for name in here secret; do\n"
                "        git init -q -b main $name; echo $name >$name/a; git -C $name add a; git -C $name commit -q -m $name\n"
                "done\n";
        _cleanup_(freep) char *whole = xasprintf("%s%s", start, script);
        const char *const argv[] = { "sh", "-c", whole, NULL };
        _cleanup_(error_freep) struct error *error = NULL;

        if (process_check(&(struct process_spec){ .argv = argv, .folder = base }, NULL, &error) < 0)
                fail_msg("%s", error->message);
}

static void expect_views_gone(void)
{
        _cleanup_(freep) char *runtime = path_join(base, "run/machine");
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_exists(runtime))
                assert_int_equal(file_list(runtime, &names, NULL), 0);
        assert_int_equal(names.count, 0);
}

/* Checks what git says about the repository at `name`. */
static void expect_log(const char *name, const char *wanted)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        _cleanup_(freep) char *folder = path_join(base, name);
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        if (repository_open(folder, &repository, &error) != 1 || repository_view(&repository, &error) < 0)
                fail_msg("%s", error ? error->message : "no repository");
        git_init(&git, repository.view);
        strv_adds(&git.argv, "log", "--all", "--topo-order", "--format=%s", NULL);
        if (git_check(&git, &said, &error) < 0)
                fail_msg("%s", error->message);
        assert_string_equal(said.buf, wanted);
}

static void expect_none(const char *name)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        _cleanup_(freep) char *folder = path_join(base, name);

        assert_int_equal(repository_open(folder, &repository, NULL), 0);
}

static void expect_refused(const char *name, const char *why)
{
        _cleanup_(freep) char *folder = path_join(base, name);
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *text = NULL;

        {
                _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
                int found = repository_open(folder, &repository, &error);

                if (found == 1)
                        found = repository_view(&repository, &error);
                assert_int_equal(found, -1);
        }
        text = error_text(error);
        if (!strstr(text, why))
                fail_msg("%s", text);
        assert_int_equal(error->kind, ERROR_CONFIG);
        expect_views_gone();
}

static void a_repository_is_read_in_each_of_its_forms(void **state)
{
        make("");
        expect_log("here", "here");
        make("git -C here pack-refs --all && git -C here gc -q");
        expect_log("here", "here");
        make("git -C here worktree add -q -b two ../tree && git -C tree commit -q --allow-empty -m two");
        expect_log("tree", "two\nhere");
        make("git -C here -c protocol.file.allow=always submodule --quiet add ../secret lib");
        expect_log("here/lib", "secret");
        make("cd here && git init -q --separate-git-dir=.hidden .");
        expect_log("here", "here");
        make("git -C here config extensions.worktreeConfig true && git -C here config core.repositoryFormatVersion 1");
        expect_log("here", "here");
        expect_views_gone();
}

static void refs_in_the_newer_format_are_read(void **state)
{
        static const char *const argv[] = { "sh", "-c",
                                            "git init -q --ref-format=reftable \"$HOME/run/try\" && rm -r \"$HOME/run/try\"",
                                            NULL };

        if (process_check(&(struct process_spec){ .argv = argv }, NULL, NULL) < 0) {
                print_message("this git has no reftable\n");
                skip();
        }
        make("git init -q -b main --ref-format=reftable tree && git -C tree commit -q --allow-empty -m table");
        expect_log("tree", "table");
        make("git init -q -b main --ref-format=reftable lib && git -C lib commit -q --allow-empty -m table\n"
             "git -C lib worktree add -q -b two ../tree && git -C tree commit -q --allow-empty -m two");
        expect_log("tree", "two\ntable");
}

static void what_is_no_repository_is_none(void **state)
{
        make("mkdir lib && mkdir lib/.git && git init -q --bare tree && echo x >tree/.machine.toml");
        expect_none("lib");
        expect_none("tree");
        expect_none("run");
        expect_none("nowhere");
        make("rm -r here/.git/refs");
        expect_none("here");
}

static void a_repository_further_up_counts_for_folders_in_its_last_commit(void **state)
{
        make("mkdir here/sub here/new && touch here/sub/x here/new/y && git -C here add sub && git -C here commit -q -m sub");
        expect_log("here/sub", "sub\nhere");
        expect_none("here/new");
}

static void a_repository_that_leads_to_another_is_refused(void **state)
{
        static const struct {
                const char *script, *why;
        } ways[] = {
                { "rm -r here/.git && echo 'gitdir: ../secret/.git' >here/.git", "doesn't name this folder" },
                { "rm -r here/.git && echo 'gitdir: ../secret/.git' >here/.git && git -C secret config core.worktree ../../lib",
                  "doesn't name this folder" },
                { "rm -r here/.git && git -C secret worktree add -q ../tree && cp tree/.git here/.git",
                  "doesn't name this folder" },
                { "cd here && rm -r .git && mkdir x && cp ../secret/.git/HEAD x && echo 'gitdir: x' >.git && echo ../../secret/.git >x/commondir && echo \"$PWD/.git\" >x/gitdir",
                  "doesn't name this folder" },
                { "rm -r here/.git && ln -s ../secret/.git here/.git", "doesn't name this folder" },
                { "cd here/.git && rm -r refs objects && ln -s ../../secret/.git/refs refs && ln -s ../../secret/.git/objects objects",
                  "objects' is not a folder" },
                { "cd here/.git && rm -r refs && ln -s ../../secret/.git/refs refs", "refs' is not a folder" },
                { "cd here/.git/objects && rm -r pack && ln -s ../../../secret/.git/objects/pack pack",
                  "pack' is not a folder" },
                { "cd here/.git && git -C ../../secret pack-refs --all && ln -s ../../secret/.git/packed-refs packed-refs",
                  "packed-refs' is not a file" },
                { "cd here/.git && rm HEAD && ln -s ../../secret/.git/HEAD HEAD", "HEAD' is not a file" },
                { "cd here/.git && rm config && ln -s ../../secret/.git/config config", "config' is not a file" },
                { "cd here/.git && rm config && mkfifo config", "config' is not a file" },
                { "echo \"$PWD/secret/.git/objects\" >here/.git/objects/info/alternates", "objects in another repository" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
                make(ways[i].script);
                expect_refused("here", ways[i].why);
        }
}

static void a_format_that_is_not_known_is_refused(void **state)
{
        make("git -C here config core.repositoryFormatVersion 2");
        expect_refused("here", "the format '2'");
        make("git -C here config core.repositoryFormatVersion 1 && git -C here config extensions.new x");
        expect_refused("here", "the extension 'new'");
        make("git -C here config core.repositoryFormatVersion 1 && git -C here config extensions.refStorage reftable:/x");
        expect_refused("here", "which is not supported");
}

static void settings_are_data(void **state)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        _cleanup_(freep) char *folder = NULL;

        make("git -C here config include.path \"$PWD/more\" && printf '[remote \"origin\"]\\n\\turl = included\\n' >more\n"
             "git -C here config remote.Origin.url wrong && printf '[core]\\n\\tprecomposeunicode\\n' >>here/.git/config\n"
             "git -C here config remote.origin.url first && git -C here config --add remote.origin.url last");
        folder = path_join(base, "here");
        assert_int_equal(repository_open(folder, &repository, NULL), 1);
        assert_string_equal(repository_setting(&repository, "remote.origin.url"), "last");
        assert_string_equal(repository_setting(&repository, "core.precomposeunicode"), "true");
        assert_null(repository_setting(&repository, "remote.origin"));
        assert_false(repository_is_partial(&repository));
}

static void nothing_of_the_callers_git_counts(void **state)
{
        make("printf '[alias]\\n\\tlog = !touch proof\\n' >.gitconfig");
        setenv("GIT_DIR", "/nowhere", 1);
        setenv("GIT_OBJECT_DIRECTORY", "/nowhere", 1);
        setenv("GIT_CONFIG_COUNT", "1", 1);
        setenv("GIT_CONFIG_KEY_0", "log.showSignature", 1);
        setenv("GIT_CONFIG_VALUE_0", "no such boolean", 1);
        expect_log("here", "here");
        unsetenv("GIT_DIR");
        unsetenv("GIT_OBJECT_DIRECTORY");
        unsetenv("GIT_CONFIG_COUNT");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_repository_is_read_in_each_of_its_forms),
                cmocka_unit_test(refs_in_the_newer_format_are_read),
                cmocka_unit_test(what_is_no_repository_is_none),
                cmocka_unit_test(a_repository_further_up_counts_for_folders_in_its_last_commit),
                cmocka_unit_test(a_repository_that_leads_to_another_is_refused),
                cmocka_unit_test(a_format_that_is_not_known_is_refused),
                cmocka_unit_test(settings_are_data),
                cmocka_unit_test(nothing_of_the_callers_git_counts),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
