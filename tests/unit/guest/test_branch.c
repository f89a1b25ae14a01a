/* What is done on a fork's branch, and how it comes into the checkout on the host (fixture.h says what is real). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/branch.h"
#include "guest/fetch.h"
#include "lib/file.h"
#include "repos_test.h"

static const char *const here[] = { ".", NULL };

/* A checkout "here" with one commit, and a guest that has it, on the branch "race-1". */
static int start_raced(void **state)
{
        struct fixture *fixture = fixture_new();

        *state = fixture;
        fixture_do(fixture, "", "git init -q here && cd here && echo one >a && git add a && git commit -qm one");
        fill(fixture, here);
        strv_add(&fixture->vm.record.repos, ".");
        set_string(&fixture->vm.record.owner, path_join(fixture->folder, "here"));
        fixture_do(fixture, "guest", "printf '[user]\\n\\tname = G\\n\\temail = g@example.org\\n' >.gitconfig");
        fixture_do(fixture, "guest/code/here", "git switch -q -c race-1");
        return 0;
}

#define RACED(test) cmocka_unit_test_setup_teardown(test, start_raced, end)

static char *save(struct fixture *fixture)
{
        _cleanup_(error_freep) struct error *error = NULL;
        char *tip = NULL;

        expect(branch_save(&fixture->vm, "race-1", &tip, &error), 0, &error);
        return tip;
}

/* Returns how many commits came; -1 = it failed, with *error. */
static int64_t fetch(struct fixture *fixture, const char *tip, struct error **error)
{
        int64_t commits = -1;

        return fetch_branch(&fixture->vm, fixture->vm.record.owner, "race-1", tip, &commits, error) < 0 ? -1 : commits;
}

static void expect_error(const struct error *error, enum error_kind kind, const char *wanted)
{
        _cleanup_(freep) char *text = error_text(error);

        if (!strstr(text, wanted) || error->kind != kind)
                fail_msg("%s: %s", error_kind_name(error->kind), text);
}

static void ids_and_counts_are_taken_only_whole(void **state)
{
        static const char *const wrong[] = { "", "1 2", "1 2 3 4", "1 2 x", "-1 2 3", "1 2 99999999999999999999" };
        struct branch_diff diff = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                if (branch_parse_diff(wrong[i], &diff) == 0)
                        fail_msg("%s", wrong[i]);
        assert_int_equal(branch_parse_diff("3 20 1", &diff), 0);
        assert_true(diff.files == 3 && diff.added == 20 && diff.removed == 1);
        assert_true(branch_is_id("0123456789abcdef0123456789abcdef01234567"));
        assert_false(branch_is_id("0123456789abcdef0123456789abcdef0123456"));
        assert_false(branch_is_id("--upload-pack=xxxxxxxxxxxxxxxxxxxxxxxxxx"));
}

static void only_what_changed_since_the_beginning_is_counted(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *tree = NULL;
        struct branch_diff diff = { 0 };

        fixture_do(fixture, "guest/code/here", "echo ignored >.gitignore && echo before >untracked && echo changed >a");
        expect(branch_tree(&fixture->vm, &tree, &error), 0, &error);
        expect(branch_compare(&fixture->vm, tree, &diff, &error), 0, &error);
        assert_true(diff.files == 0 && diff.added == 0 && diff.removed == 0);
        fixture_do(fixture, "guest/code/here",
                   "printf '1\\n2\\n' >'new file' && echo x >ignored && rm untracked && head -c 100 /dev/zero >binary\n"
                   "echo more >>a && git commit -q -a -m two");
        expect(branch_compare(&fixture->vm, tree, &diff, &error), 0, &error);
        assert_true(diff.files == 4 && diff.added == 3 && diff.removed == 1);
        expect_text(fixture, "guest/code/here", "git status --porcelain; ls .git | grep -c machine-index || :",
                    "?? .gitignore\n?? binary\n?? \"new file\"\n0");
}

static void commits_and_uncommitted_work_arrive_and_nothing_else_changes(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *tip = NULL;

        fixture_do(fixture, "guest/code/here", "echo two >a && git commit -q -a -m two && echo three >b");
        tip = save(fixture);
        expect(fetch(fixture, tip, &error) == 2 ? 0 : -1, 0, &error);
        expect_text(fixture, "here",
                    "git log --format=%s machine/race-1 && git show machine/race-1:b && git fsck --strict 2>&1",
                    "What was not committed in test\ntwo\none\nthree");
        expect_text(fixture, "here", "git status --porcelain && git branch --format='%(refname:short)' && cat a", "main\none");
        /* Once more: it is the same. */
        expect(fetch(fixture, tip, &error) == 2 ? 0 : -1, 0, &error);
}

static void a_branch_that_the_work_went_on_from_is_what_is_fetched(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *tip = NULL;

        fixture_do(fixture, "guest/code/here", "git switch -q -c fix && echo two >a && git commit -q -a -m two");
        tip = save(fixture);
        expect(fetch(fixture, tip, &error) == 1 ? 0 : -1, 0, &error);
        expect_text(fixture, "here", "git log --format=%s machine/race-1", "two\none");
}

static void what_is_in_the_middle_of_a_merge_is_refused(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *tip = NULL;

        fixture_do(
                fixture, "guest/code/here",
                "echo two >a && git commit -q -a -m two && git switch -q main && echo three >a && git commit -q -a -m three\n"
                "git merge race-1 >/dev/null || :");
        assert_int_equal(branch_save(&fixture->vm, "race-1", &tip, &error), -1);
        expect_error(error, ERROR_STEP, "git is in the middle of something (MERGE_HEAD)");
}

static void commits_that_nothing_else_has_are_not_replaced(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *tip = NULL;

        fixture_do(fixture, "guest/code/here", "echo two >a && git commit -q -a -m two");
        fixture_do(fixture, "here",
                   "git update-ref refs/remotes/machine/race-1 \"$(git commit-tree -p HEAD -m earlier HEAD^{tree})\"");
        tip = save(fixture);
        assert_int_equal(fetch(fixture, tip, &error), -1);
        expect_error(error, ERROR_WORK, "'machine/race-1' in '");
        assert_non_null(strstr(error->hint, "branch NAME machine/race-1"));
        expect_text(fixture, "here",
                    "git log -1 --format=%s machine/race-1 && git branch --quiet --no-track kept machine/race-1", "earlier");
        error_freep(&error);
        error = NULL;
        expect(fetch(fixture, tip, &error) == 1 ? 0 : -1, 0, &error);
}

/* The guest says what it likes. */
static void what_is_no_pack_leaves_nothing(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *tip = save(fixture);

        answer(fixture, "race.sh", "cat >/dev/null; head -c 100000 /dev/urandom");
        assert_int_equal(fetch(fixture, tip, &error), -1);
        expect_error(error, ERROR_STEP, "git refused the guest's commits: 'git index-pack' ended with");
        expect_text(fixture, "here",
                    "git for-each-ref refs/remotes/machine/race-1; ls .git/objects/pack; ls .git/objects | grep tmp || :", "");
}

static void a_commit_without_its_files_is_not_taken(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *tip = NULL;

        fixture_do(fixture, "guest/code/here", "echo two >a && git commit -q -a -m two");
        tip = save(fixture);
        answer(fixture, "race.sh", "cd ~/code/here && cat >/dev/null; git rev-parse HEAD | git pack-objects --quiet --stdout");
        assert_int_equal(fetch(fixture, tip, &error), -1);
        expect_text(fixture, "here", "git for-each-ref refs/remotes/machine/race-1", "");
}

static void an_answer_that_is_no_commit_is_refused(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *tip = NULL;

        answer(fixture, "race.sh", "echo --output=/etc/passwd");
        assert_int_equal(branch_save(&fixture->vm, "race-1", &tip, &error), -1);
        expect_error(error, ERROR_STEP, "VM 'test' did not say what is in its repo: '--output=/etc/passwd'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ids_and_counts_are_taken_only_whole),
                RACED(only_what_changed_since_the_beginning_is_counted),
                RACED(commits_and_uncommitted_work_arrive_and_nothing_else_changes),
                RACED(a_branch_that_the_work_went_on_from_is_what_is_fetched),
                RACED(what_is_in_the_middle_of_a_merge_is_refused),
                RACED(commits_that_nothing_else_has_are_not_replaced),
                RACED(what_is_no_pack_leaves_nothing),
                RACED(a_commit_without_its_files_is_not_taken),
                RACED(an_answer_that_is_no_commit_is_refused),
        };

        const char *missing = fixture_missing();

        if (missing) {
                fprintf(stderr, "skipped: there is no %s here\n", missing);
                return 77;
        }
        return cmocka_run_group_tests_name("guest/branch", tests, NULL, NULL);
}
