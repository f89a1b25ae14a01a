/* Work in the guest that exists nowhere else (fixture.h says what is real). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "repos_test.h"

static void every_kind_of_work_is_found(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = file_url(fixture, "app.git");

        make_forge_repo(fixture, "app.git");
        fill(fixture, (const char *const[]){ app, NULL });
        expect_work(fixture, NULL, NULL);
        fixture_do(fixture, "guest/code/app",
                   "echo x >a && git stash -q && echo y >a && echo new >'b\nc' && echo z >z && git add z\n"
                   "mkdir dir && touch dir/1 dir/2\n"
                   "git branch kept && git checkout -q --detach && git commit -qm d z");
        expect_work(fixture, NULL,
                    "app: 1 uncommitted file, 2 untracked files, the detached HEAD has 1 unpushed commit, 1 stash");
        fixture_do(fixture, "guest/code/app",
                   "git branch topic && git checkout -qf main && git clean -qfd && git stash drop -q");
        expect_work(fixture, NULL, "app: branch 'topic' has 1 unpushed commit");
        fixture_do(fixture, "guest/code/app", "git push -q origin topic");
        expect_work(fixture, NULL, NULL);
        fixture_do(fixture, "guest/code/app",
                   "git worktree add -q -b one ../one && git worktree add -q --detach ../../two\n"
                   "echo x >../one/x && cd ../../two && git commit -q --allow-empty -m y");
        expect_text(fixture, "", "pwd -P", fixture->folder);
        {
                _cleanup_(freep) char *wanted = xasprintf("app: in the work tree '%s/code/one': 1 untracked file, "
                                                          "in the work tree '%s/two': the detached HEAD has 1 unpushed commit",
                                                          fixture->guest, fixture->guest);

                expect_work(fixture, NULL, wanted);
        }
}

static void a_repo_made_in_the_guest_is_all_work(void **state)
{
        struct fixture *fixture = *state;

        fixture_do(
                fixture, "guest",
                "mkdir -p code && cd code && git init -q -b main new && cd new && git commit -q --allow-empty -m a && git commit -q --allow-empty -m b\n"
                "cd .. && git init -q --bare bare.git && git -C new push -q ../bare.git main");
        expect_work(fixture, NULL, "bare.git: branch 'main' has 2 unpushed commits\nnew: branch 'main' has 2 unpushed commits");
}

static void folders_without_git_are_work_unless_empty(void **state)
{
        struct fixture *fixture = *state;

        fixture_do(
                fixture, "guest",
                "mkdir -p code/empty/er code/notes/deep code/.partial.1/x/.git code/.cache && touch code/notes/deep/a code/notes/b code/todo code/.cache/x");
        expect_work(fixture, NULL, "notes: not a git repository, 2 files\ntodo: not a git repository, 1 file");
}

static void a_repo_that_git_cannot_read_counts_as_work(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *work = NULL;

        fixture_do(fixture, "guest",
                   "mkdir -p code/broken/.git code/odd && git init -q code/odd && echo garbage >code/odd/.git/HEAD");
        assert_int_equal(repos_find_work(&fixture->vm, NULL, &work, NULL), 0);
        assert_non_null(work);
        assert_non_null(strstr(work, "broken: git could not read it: fatal"));
        assert_non_null(strstr(work, "odd: git could not read it: fatal"));
}

static void names_and_configuration_of_the_guest_do_no_harm(void **state)
{
        struct fixture *fixture = *state;

        fixture_do(
                fixture, "guest",
                "mkdir -p code && git init -q -b main \"$(printf 'code/a\\nb\\033[31m')\" && cd code/a* && echo x >x && git add x && git commit -qm x\n"
                "git checkout -qb \"$(printf 'x\\302\\205y')\"\n"
                "git config core.fsmonitor 'touch \"$HOME/ran\"; false' && git config core.hooksPath \"$PWD\"\n"
                "mkdir ../-rf && cd ../-rf && git init -q -b -- . 2>/dev/null || git init -q .; touch x");
        expect_work(fixture, NULL,
                    "-rf: 1 untracked file\n"
                    "a\\x0ab\\x1b[31m: branch 'main' has 1 unpushed commit, branch 'x\\xc2\\x85y' has 1 unpushed commit");
        expect_text(fixture, "", "test ! -e guest/ran && test ! -e host/ran && echo quiet", "quiet");
        /* The trap works: git itself falls into it. */
        fixture_do(fixture, "guest/code", "cd a* && git status >/dev/null");
        expect_text(fixture, "", "test -e host/ran && echo ran", "ran");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_FIXTURE(every_kind_of_work_is_found),
                WITH_FIXTURE(a_repo_made_in_the_guest_is_all_work),
                WITH_FIXTURE(folders_without_git_are_work_unless_empty),
                WITH_FIXTURE(a_repo_that_git_cannot_read_counts_as_work),
                WITH_FIXTURE(names_and_configuration_of_the_guest_do_no_harm),
        };
        const char *missing = fixture_missing();

        if (missing) {
                fprintf(stderr, "skipped: there is no %s here\n", missing);
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
