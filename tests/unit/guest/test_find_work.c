/* Work in the guest that exists nowhere else (fixture.h says what is real). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "repos_test.h"

/* Each is done to a clone of its own, ~/code/app, and then found; nothing else is. */
static const struct {
        const char *name, *script, *wanted;
} kinds[] = {
        { "nothing", "true", NULL },
        { "a changed file", "echo x >a", "~/code/app: 1 uncommitted file" },
        { "a changed file that is staged", "echo x >a && git add a", "~/code/app: 1 uncommitted file" },
        { "new files", "mkdir dir && touch dir/1 dir/2 'b\nc'", "~/code/app: 2 untracked files" },
        { "a commit", "git commit -q --allow-empty -m x", "~/code/app: branch 'main' has 1 unpushed commit" },
        { "a commit on another branch", "git checkout -q -b side && git commit -q --allow-empty -m x && git checkout -q main",
          "~/code/app: branch 'side' has 1 unpushed commit" },
        { "a commit on no branch", "git checkout -q --detach && git commit -q --allow-empty -m x",
          "~/code/app: the detached HEAD has 1 unpushed commit" },
        { "a stash", "echo x >a && git stash -q", "~/code/app: 1 stash" },
        { "a commit on a tag", "git tag t $(commit)", "~/code/app: tag 't' has 1 unpushed commit" },
        { "an annotated tag", "git tag -a -m x t", "~/code/app: tag 't' is not pushed" },
        { "a commit on a ref of one's own", "git update-ref refs/own/r $(commit)",
          "~/code/app: ref 'refs/own/r' has 1 unpushed commit" },
        { "a ref to a file", "git update-ref refs/own/r $(git hash-object -w .git/config)",
          "~/code/app: ref 'refs/own/r' is not pushed" },
        { "notes", "git notes add -m x", "~/code/app: notes 'commits' have 1 unpushed commit" },
        { "a deleted remote's branch", "git update-ref refs/remotes/gone/r $(commit)",
          "~/code/app: ref 'refs/remotes/gone/r' has 1 unpushed commit" },
        { "commits that are only at a remote inside",
          "git init -q --bare $HOME/in.git && git remote add in $HOME/in.git && git commit -q --allow-empty -m x && git push -q in main",
          "~/code/app: branch 'main' has 1 unpushed commit\n~/in.git: branch 'main' has 2 unpushed commits" },
        { "the same by loopback",
          "git remote add in ssh://me@127.0.0.1/in.git && git commit -q --allow-empty -m x && git update-ref refs/remotes/in/main HEAD",
          "~/code/app: branch 'main' has 1 unpushed commit" },
        { "what a rebase set aside",
          "git commit -q --allow-empty -m x && git branch onto HEAD && git reset -q --hard HEAD~ && echo x >a && "
          "git -c sequence.editor='echo break >' rebase -q -i --autostash onto >/dev/null 2>&1; git branch -q -D onto",
          "~/code/app: the detached HEAD has 1 unpushed commit, a rebase is under way, changes are set aside by --autostash" },
        { "a merge under way", "git update-ref MERGE_HEAD $(commit)", "~/code/app: a merge is under way" },
        { "a file that git skips", "git update-index --skip-worktree a && echo x >a",
          "~/code/app: 1 uncommitted file that git overlooks" },
        { "a file that git takes for unchanged",
          "echo x >b && git add b && git commit -q -m x && git update-index --assume-unchanged a && echo x >a && echo y >b",
          "~/code/app: 1 uncommitted file, 1 uncommitted file that git overlooks, branch 'main' has 1 unpushed commit" },
        { "files that git overlooks and that are as they were", "git update-index --skip-worktree a", NULL },
        { "an embedded repo", "git init -q emb && git -C emb commit -q --allow-empty -m x",
          "~/code/app/emb: branch 'main' has 1 unpushed commit" },
        { "a repo in an ignored folder",
          "echo node_modules >.git/info/exclude && git init -q node_modules/r && git -C node_modules/r commit -q --allow-empty -m x",
          "~/code/app/node_modules/r: branch 'main' has 1 unpushed commit" },
        { "a submodule's commit, stash and tag",
          "git init -q $HOME/sub && git -C $HOME/sub commit -q --allow-empty -m x && "
          "git -c protocol.file.allow=always submodule --quiet add $HOME/sub sub && rm -rf $HOME/sub && git commit -qm sub && "
          "cd sub && git remote set-url origin https://forge.example/s.git && echo x >x && git add x && git stash -q && "
          "git tag -a -m x t && git tag u $(commit)",
          "~/code/app/sub: tag 'u' has 1 unpushed commit, tag 't' is not pushed, 1 stash\n"
          "~/code/app: branch 'main' has 1 unpushed commit" },
        { "a work tree's files", "git worktree add -q -b side ../side && touch ../side/new", "~/code/side: 1 untracked file" },
        { "a work tree's commit", "git worktree add -q --detach $HOME/two && cd $HOME/two && git commit -q --allow-empty -m x",
          "~/two: the detached HEAD has 1 unpushed commit" },
        { "a repo of the guest's own", "git init -q ../own && git -C ../own commit -q --allow-empty -m x",
          "~/code/own: branch 'main' has 1 unpushed commit" },
        { "a bare repo", "git clone -q --bare . ../bare.git && git -C ../bare.git remote remove origin",
          "~/code/bare.git: branch 'main' has 1 unpushed commit" },
        { "a repo somewhere else", "git init -q $HOME/else && touch $HOME/else/x", "~/else: 1 untracked file" },
        { "a dot folder in ~/code", "mkdir ../.hidden && touch ../.hidden/x", "~/code/.hidden/x: 1 file" },
        { "a folder that is no repo", "mkdir -p ../notes/deep ../empty && touch ../notes/deep/a ../notes/b ../todo",
          "~/code/notes: 2 files\n~/code/todo: 1 file" },
        { "a file in the home", "mkdir -p ~/.config/tool && touch ~/.config/tool/rc ~/draft",
          "~/.config/tool/rc: 1 file\n~/draft: 1 file" },
        { "an ignored file", "echo .env >.git/info/exclude && echo x >.env", "~/code/app: ignored: .env" },
        { "an ignored folder", "echo data >.git/info/exclude && mkdir data && echo x >data/x", "~/code/app: ignored: data" },
        { "a folder that is closed", "mkdir closed && touch closed/x && chmod 000 closed", "~/code/app: 1 untracked file" },
        { "what builds and caches make",
          "printf 'node_modules\\ntarget\\n*.o\\nmade\\n' >.git/info/exclude && mkdir -p node_modules/x target made ~/.cache && "
          "touch node_modules/x/y target/z a.o made/CACHEDIR.TAG made/x ~/.cache/c ~/.bash_history",
          NULL },
};

#define COMMIT "commit() { git commit-tree -p HEAD -m x 'HEAD^{tree}'; }\n"

static void every_kind_of_work_is_found(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = file_url(fixture, "app.git");

        make_forge_repo(fixture, "app.git");
        fill(fixture, (const char *const[]){ app, NULL });
        move_origin(fixture, "guest/code/app");
        fixture_do(fixture, "", "cp -a guest before");
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                _cleanup_(freep) char *script = xasprintf("export HOME=%s\n" COMMIT "%s", fixture->guest, kinds[i].script);

                print_message("%s\n", kinds[i].name);
                fixture_do(fixture, "guest/code/app", script);
                expect_work(fixture, NULL, kinds[i].wanted);
                fixture_do(fixture, "", "chmod -R u+rwX guest && rm -rf guest && cp -a before guest");
        }
}

static void what_was_pushed_is_no_work(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = file_url(fixture, "app.git");
        _cleanup_(freep) char *push =
                xasprintf("git -c 'url.%s.insteadOf=https://forge.example/repo.git' push -q origin topic", app);

        make_forge_repo(fixture, "app.git");
        fill(fixture, (const char *const[]){ app, NULL });
        move_origin(fixture, "guest/code/app");
        fixture_do(fixture, "guest/code/app", "git checkout -q -b topic && git commit -q --allow-empty -m x");
        expect_work(fixture, NULL, "~/code/app: branch 'topic' has 1 unpushed commit");
        fixture_do(fixture, "guest/code/app", push);
        expect_work(fixture, NULL, NULL);
}

static void a_killed_clone_is_no_work(void **state)
{
        struct fixture *fixture = *state;

        fixture_do(fixture, "guest", "mkdir -p code/.partial.1 && git init -q code/.partial.1/x && touch code/.partial.1/x/y");
        expect_work(fixture, NULL, NULL);
}

static void a_repo_that_git_cannot_read_counts_as_work(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(freep) char *text = NULL;

        fixture_do(fixture, "guest",
                   "mkdir -p code/broken/.git code/odd && git init -q code/odd && echo garbage >code/odd/.git/HEAD");
        assert_int_equal(repos_find_work(&fixture->vm, NULL, &work, NULL), 0);
        text = work_text(&work);
        assert_non_null(strstr(text, "~/code/broken: git could not read it: its .git is not a repository"));
        assert_non_null(strstr(text, "~/code/odd: git could not read it: fatal"));
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
        expect_work(
                fixture, NULL,
                "~/code/-rf: 1 untracked file\n"
                "~/code/a\\x0ab\\x1b[31m: branch 'main' has 1 unpushed commit, branch 'x\\xc2\\x85y' has 1 unpushed commit");
        expect_text(fixture, "", "test ! -e guest/ran && test ! -e host/ran && echo quiet", "quiet");
        /* The trap works: git itself falls into it. */
        fixture_do(fixture, "guest/code", "cd a* && git status >/dev/null");
        expect_text(fixture, "", "test -e host/ran && echo ran", "ran");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_FIXTURE(every_kind_of_work_is_found),
                WITH_FIXTURE(what_was_pushed_is_no_work),
                WITH_FIXTURE(a_killed_clone_is_no_work),
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
