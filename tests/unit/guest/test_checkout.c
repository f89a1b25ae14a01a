/* The checkout on the host is pushed in and fetched back (fixture.h says what is real). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "repos_test.h"

#include "guest/checkout.h"
#include "lib/file.h"

static void make_checkout(struct fixture *fixture)
{
        fixture_do(fixture, "",
                   "git init -q here && cd here && echo one >a && git add a && git commit -qm one\n"
                   "git branch side && git tag v1 && mkdir -p .git/hooks\n"
                   "printf '#!/bin/sh\\ntouch \"%s\"\\n' \"$PWD/../hook-ran\" >.git/hooks/pre-push\n"
                   "cp .git/hooks/pre-push .git/hooks/reference-transaction && chmod +x .git/hooks/*\n"
                   "git config push.gpgSign true && git config push.followTags true");
}

static const char *const here[] = { ".", NULL };

/* git as a person uses it in the checkout: with the VM's alias. */
#define FETCH "GIT_SSH_COMMAND=\"ssh -F '$PWD/../vm/ssh_config'\" git fetch -q machine"

static void a_checkout_is_pushed_with_its_branches_and_tags(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fixture_do(fixture, "here", "echo changed >a && echo new >b");
        fill(fixture, here);
        expect_text(
                fixture, "guest/code/here",
                "cat a; git status --porcelain; git symbolic-ref HEAD; git for-each-ref --format='%(refname)'",
                "one\nrefs/heads/main\nrefs/heads/main\nrefs/heads/side\nrefs/remotes/host/main\nrefs/remotes/host/side\nrefs/tags/v1");
        expect_text(fixture, "guest/code", "ls -A", "here");
        expect_text(
                fixture, "here", "git config --get-regexp '^remote\\.machine\\.'",
                "remote.machine.url machine-test:code/here\nremote.machine.fetch +refs/heads/*:refs/remotes/machine/*\nremote.machine.tagopt --no-tags");
        expect_text(fixture, "", "test ! -e hook-ran && cat here/a", "changed");
        assert_non_null(strstr(fixture->told.buf, "2 uncommitted files in '"));
        assert_non_null(strstr(fixture->told.buf, "stay behind, because only commits go into the VM: a and b\n"));
        expect_work(fixture, "here", NULL);
}

static void commits_come_back_by_fetch_and_are_then_no_loss(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fill(fixture, here);
        fixture_do(fixture, "guest/code/here",
                   "echo two >a && git commit -qam two && git checkout -qb topic && git commit -q --allow-empty -m three");
        expect_work(fixture, "here", "~/code/here: branch 'main' has 1 unpushed commit, branch 'topic' has 2 unpushed commits");
        expect_work(fixture, NULL, "~/code/here: branch 'main' has 1 unpushed commit, branch 'topic' has 2 unpushed commits");
        fixture_do(fixture, "here", FETCH " main");
        expect_work(fixture, "here", "~/code/here: branch 'topic' has 1 unpushed commit");
        fixture_do(fixture, "here", FETCH);
        expect_text(fixture, "here", "git log --format=%s refs/remotes/machine/topic", "three\ntwo\none");
        expect_work(fixture, "here", NULL);
        /* The commit is still in the object store, but on no branch any more, so it is not safe. */
        fixture_do(fixture, "here", "git update-ref -d refs/remotes/machine/topic");
        expect_work(fixture, "here", "~/code/here: branch 'topic' has 1 unpushed commit");
        expect_text(fixture, "", "test ! -e hook-ran || echo ran", "ran");
}

static void later_runs_push_nothing_and_mend_the_remote(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fill(fixture, here);
        fixture_do(fixture, "here", "git commit -qam later --allow-empty && git remote remove machine");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git log --format=%s", "one");
        expect_text(fixture, "here", "git remote", "machine");
}

static void a_detached_head_stays_one(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fixture_do(fixture, "here", "git checkout -q --detach && echo two >a && git commit -qam two");
        fill(fixture, here);
        expect_text(
                fixture, "guest/code/here",
                "cat a; git symbolic-ref -q HEAD || echo detached; git status --porcelain; git branch --format='%(refname:short)' | grep -v HEAD",
                "two\ndetached\nmain\nside");
        expect_work(fixture, "here", NULL);
        expect_work(fixture, NULL, NULL);
        fixture_do(fixture, "guest/code/here", "git commit -q --allow-empty -m three");
        expect_work(fixture, "here", "~/code/here: the detached HEAD has 1 unpushed commit");
}

static void a_checkout_without_commits_goes_in_too(void **state)
{
        struct fixture *fixture = *state;

        fixture_do(fixture, "", "git init -q -b trunk here");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git symbolic-ref HEAD", "refs/heads/trunk");
        expect_work(fixture, "here", NULL);
}

static void a_linked_work_tree_and_sha256_go_in_too(void **state)
{
        struct fixture *fixture = *state;

        fixture_do(
                fixture, "",
                "git init -q --object-format=sha256 main && cd main && echo one >a && git add a && git commit -qm one && git worktree add -q -b wt ../here");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "cat a; git symbolic-ref --short HEAD; git rev-parse --show-object-format",
                    "one\nwt\nsha256");
        fixture_do(fixture, "guest/code/here", "git commit -q --allow-empty -m two");
        expect_work(fixture, "here", "~/code/here: branch 'wt' has 1 unpushed commit");
}

static void a_shallow_checkout_goes_in_too(void **state)
{
        struct fixture *fixture = *state;

        fixture_do(fixture, "",
                   "git init -q deep && cd deep && for i in 1 2 3; do git commit -q --allow-empty -m $i; done\n"
                   "cd .. && git clone -q --depth 1 \"file://$PWD/deep\" here");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git log --format=%s", "3");
        expect_work(fixture, "here", NULL);
}

static void a_submodule_and_one_with_submodules_go_in(void **state)
{
        struct fixture *fixture = *state;

        fixture_do(fixture, "",
                   "git init -q lib && git -C lib commit -q --allow-empty -m lib && git init -q super\n"
                   "git -C super -c protocol.file.allow=always submodule --quiet add \"$PWD/lib\" sub\n"
                   "git -C super commit -q -m super && ln -s super/sub here");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git log --format=%s", "lib");
        fixture_do(fixture, "", "rm here && rm -rf guest/code && ln -s super here");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git log --format=%s", "super");
        assert_non_null(strstr(fixture->told.buf, "the submodules of '"));
}

static void a_folder_of_a_repository_brings_all_of_it_once_it_is_committed(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;

        fixture_do(fixture, "", "git init -q all && mkdir all/part && touch all/part/x && ln -s all/part here");
        error = fill_badly(fixture, here);
        assert_non_null(strstr(error->message, "is not in the last commit of '"));
        assert_non_null(strstr(error->hint, "commit it there"));
        fixture_do(fixture, "all", "git add part && git commit -q -m part && touch part/new");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git log --format=%s && ls", "part\npart");
        assert_non_null(strstr(fixture->told.buf, "1 uncommitted file "));
}

static void a_split_index_and_a_sparse_one_are_read(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fixture_do(fixture, "here", "git update-index --split-index && touch new");
        fill(fixture, here);
        assert_non_null(strstr(fixture->told.buf, "1 uncommitted file "));
        strbuf_reset(&fixture->told);
        fixture_do(
                fixture, "",
                "rm -r guest/code && cd here && rm new && mkdir in out && touch in/x out/x && git add in out && git commit -q -m more\n"
                "git sparse-checkout set --cone --sparse-index in && test ! -e out");
        fill(fixture, here);
        assert_null(strstr(fixture->told.buf, "uncommitted file"));
        expect_text(fixture, "guest/code/here", "ls", "a\nin\nout");
}

/* git-lfs, shortened URLs and a file system monitor, which people configure for all of their repos. */
static void filters_and_urls_of_the_users_own_configuration_are_in_nobodys_way(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fixture_do(
                fixture, "",
                "git config --global filter.lfs.clean \"touch '$PWD/filter-ran'; cat\" && git config --global filter.lfs.required true\n"
                "git config --global url.git@example.org:.insteadOf ex: && git config --global core.excludesFile \"$PWD/ignored\"\n"
                "git config --global push.gpgSign true && git config --global core.hooksPath \"$PWD/here/.git/hooks\"\n"
                "echo '*.swp' >ignored && cd here && echo '* filter=lfs' >.gitattributes && git add .gitattributes\n"
                "rm .git/hooks/* && git commit -q -m lfs && rm ../filter-ran && touch -d '1 hour ago' a && touch x.swp y\n"
                "git config --global core.fsmonitor \"touch '$PWD/../monitor-ran'; false\"");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git log -1 --format=%s", "lfs");
        expect_text(fixture, "", "test ! -e filter-ran && test ! -e monitor-ran && echo quiet", "quiet");
        assert_non_null(strstr(fixture->told.buf, "1 uncommitted file "));
}

static void a_partial_clone_says_what_it_needs(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;

        make_checkout(fixture);
        fixture_do(
                fixture, "",
                "mv here whole && rm -r whole/.git/hooks && git -C whole config uploadpack.allowFilter true && git -C whole config uploadpack.allowAnySHA1InWant true\n"
                "echo two words >whole/a && git -C whole commit -q -a -m two\n"
                "git clone -q --filter=blob:none \"file://$PWD/whole\" here");
        error = fill_badly(fixture, here);
        assert_int_equal(error->kind, ERROR_STEP);
        assert_non_null(strstr(error->hint, "use a clone without --filter"));
        fixture_do(fixture, "here", "git fetch -q --refetch --no-filter");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git log -1 --format=%s && git fsck 2>&1", "two");
}

static void the_users_own_remote_machine_is_not_touched(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;

        make_checkout(fixture);
        fixture_do(fixture, "here", "git remote add machine https://example.org/m.git");
        error = fill_badly(fixture, here);
        assert_non_null(strstr(error->message, "already has a remote 'machine', with the URL 'https://example.org/m.git'"));
        assert_non_null(strstr(error->hint, " remote rename machine OTHER"));
        expect_text(fixture, "guest/code", "ls -A", "");
        expect_text(fixture, "here", "git remote get-url machine", "https://example.org/m.git");
}

/* What a remote can have in addition: a program, another place for what is fetched, another URL. */
static void a_remote_machine_with_more_than_ours_is_refused(void **state)
{
        static const char *const more[] = {
                "remote.machine.uploadpack x",
                "remote.machine.receivepack x",
                "remote.machine.vcs ext",
                "remote.machine.proxy x",
                "remote.machine.pushurl ext::x",
                "remote.machine.promisor true",
                "remote.machine.mirror true",
                "--add remote.machine.url machine-test:code/other",
                "--add remote.machine.fetch +refs/heads/*:refs/heads/*",
        };
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fill(fixture, here);
        fixture_do(fixture, "here", "git config remote.machine.prune true");
        fill(fixture, here);
        for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
                _cleanup_(freep) char *script = xasprintf("cp .git/config ../saved && git config %s", more[i]);
                _cleanup_(error_freep) struct error *error = NULL;

                fixture_do(fixture, "here", script);
                error = fill_badly(fixture, here);
                assert_non_null(strstr(error->message, "already has a remote 'machine', with"));
                fixture_do(fixture, "here", "cp ../saved .git/config");
        }
}

/* After the VM got another name. Only a remote that leads to the old name is led to the new one. */
static void a_remote_follows_its_vm_to_another_name(void **state)
{
        struct fixture *fixture = *state;
        static const struct {
                const char *set, *then;
        } cases[] = {
                { "git config remote.machine.url machine-before:code/here", "machine-test:code/here" },
                { "git config remote.machine.url machine-beforehand:code/here", "machine-beforehand:code/here" },
                { "git config remote.machine.url https://example.org/m.git", "https://example.org/m.git" },
                { "git config remote.machine.url https://example.org/m.git; "
                  "git config --add remote.machine.url machine-before:code/here",
                  "https://example.org/m.git\nmachine-before:code/here" },
        };
        _cleanup_(freep) char *folder = path_join(fixture->folder, "here");

        fixture_do(fixture, "", "mkdir here");
        assert_int_equal(checkout_move_remote(folder, &fixture->vm, "before", NULL), 0);
        fixture_do(fixture, "here", "git init -q .");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                fixture_do(fixture, "here", "git config --unset-all remote.machine.url || :");
                fixture_do(fixture, "here", cases[i].set);
                assert_int_equal(checkout_move_remote(folder, &fixture->vm, "before", NULL), 0);
                expect_text(fixture, "here", "git config --get-all remote.machine.url", cases[i].then);
        }
}

static void a_remote_that_a_killed_run_began_is_completed(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fixture_do(fixture, "here", "git config remote.machine.url machine-test:code/here");
        fill(fixture, here);
        expect_text(fixture, "here", "git config remote.machine.fetch", "+refs/heads/*:refs/remotes/machine/*");
}

static void a_folder_that_is_no_checkout_is_a_mistake_in_the_configuration(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;

        fixture_do(fixture, "", "mkdir here");
        error = fill_badly(fixture, here);
        assert_int_equal(error->kind, ERROR_CONFIG);
        assert_non_null(strstr(error->hint, "git -C "));
}

/* Its VM can still be used and removed: only what needs git is left out. */
static void a_checkout_whose_repository_is_gone_keeps_its_vm(void **state)
{
        static const char *const ways[] = { "mv .git ../saved", "mkdir ../saved && mv .git/refs ../saved" };
        static const char *const back[] = { "mv ../saved .git", "mv ../saved/refs .git && rmdir ../saved" };
        struct fixture *fixture = *state;
        _cleanup_(freep) char *folder = path_join(fixture->folder, "here");

        make_checkout(fixture);
        fill(fixture, here);
        fixture_do(fixture, "guest/code/here", "git commit -q --allow-empty -m two");
        for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
                _cleanup_(error_freep) struct error *error = NULL;

                fixture_do(fixture, "here", ways[i]);
                strbuf_reset(&fixture->told);
                fill(fixture, here);
                assert_non_null(strstr(fixture->told.buf, "commits can't be fetched from VM 'test'"));
                expect_work(fixture, "here", "~/code/here: branch 'main' has 1 unpushed commit");
                expect(repos_withdraw(&fixture->vm, folder, &error), 0, &error);
                fixture_do(fixture, "here", back[i]);
        }
        expect_work(fixture, "here", "~/code/here: branch 'main' has 1 unpushed commit");
}

static void what_cant_be_pushed_is_known_before_there_is_a_vm(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(project_clear) struct project project = fixture_project(fixture, here);
        _cleanup_(error_freep) struct error *error = NULL;

        fixture_do(fixture, "", "mkdir here");
        assert_int_equal(repos_check(&fixture->vm, &project, &error), -1);
        assert_non_null(strstr(error->message, "is not a git repository"));
        assert_string_equal(error->file, "projects.toml");
        assert_int_equal(error->line, 1);
        error_freep(&error);
        error = NULL;
        fixture_do(fixture, "here", "git init -q . && git remote add machine https://example.org/m.git");
        assert_int_equal(repos_check(&fixture->vm, &project, &error), -1);
        assert_non_null(strstr(error->message, "already has a remote 'machine'"));
        error_freep(&error);
        error = NULL;
        fixture_do(fixture, "here", "git remote remove machine");
        expect(repos_check(&fixture->vm, &project, &error), 0, &error);
}

static void withdrawing_keeps_what_was_fetched_and_merged_nowhere(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *folder = path_join(fixture->folder, "here");
        _cleanup_(error_freep) struct error *error = NULL;

        make_checkout(fixture);
        fill(fixture, here);
        fixture_do(fixture, "guest/code/here", "git checkout -qb topic && git commit -q --allow-empty -m two");
        fixture_do(fixture, "here", FETCH " && git symbolic-ref refs/remotes/machine/HEAD refs/remotes/machine/topic");
        expect(repos_withdraw(&fixture->vm, folder, &error), 0, &error);
        expect_text(fixture, "here", "git remote; git for-each-ref --format='%(refname)' refs/remotes",
                    "refs/remotes/machine/topic");
        expect(repos_withdraw(&fixture->vm, folder, &error), 0, &error);
        fixture_do(fixture, "here", "git remote add machine machine-other:code/here");
        expect(repos_withdraw(&fixture->vm, folder, &error), 0, &error);
        expect_text(fixture, "here", "git remote", "machine");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_FIXTURE(a_checkout_is_pushed_with_its_branches_and_tags),
                WITH_FIXTURE(commits_come_back_by_fetch_and_are_then_no_loss),
                WITH_FIXTURE(later_runs_push_nothing_and_mend_the_remote),
                WITH_FIXTURE(a_detached_head_stays_one),
                WITH_FIXTURE(a_checkout_without_commits_goes_in_too),
                WITH_FIXTURE(a_linked_work_tree_and_sha256_go_in_too),
                WITH_FIXTURE(a_shallow_checkout_goes_in_too),
                WITH_FIXTURE(a_submodule_and_one_with_submodules_go_in),
                WITH_FIXTURE(a_folder_of_a_repository_brings_all_of_it_once_it_is_committed),
                WITH_FIXTURE(a_split_index_and_a_sparse_one_are_read),
                WITH_FIXTURE(filters_and_urls_of_the_users_own_configuration_are_in_nobodys_way),
                WITH_FIXTURE(a_partial_clone_says_what_it_needs),
                WITH_FIXTURE(the_users_own_remote_machine_is_not_touched),
                WITH_FIXTURE(a_remote_machine_with_more_than_ours_is_refused),
                WITH_FIXTURE(a_remote_follows_its_vm_to_another_name),
                WITH_FIXTURE(a_remote_that_a_killed_run_began_is_completed),
                WITH_FIXTURE(a_folder_that_is_no_checkout_is_a_mistake_in_the_configuration),
                WITH_FIXTURE(a_checkout_whose_repository_is_gone_keeps_its_vm),
                WITH_FIXTURE(what_cant_be_pushed_is_known_before_there_is_a_vm),
                WITH_FIXTURE(withdrawing_keeps_what_was_fetched_and_merged_nowhere),
        };
        const char *missing = fixture_missing();

        if (missing) {
                fprintf(stderr, "skipped: there is no %s here\n", missing);
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
