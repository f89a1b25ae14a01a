/* What a checkout's stream brings into the guest, and what happens when one end fails (fixture.h says what is real). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "repos_test.h"

static const char *const here[] = { ".", NULL };

static int start_new(void **state)
{
        struct fixture *fixture = fixture_new();

        /* The VM is being made, so it gets the checkout by the session that asks what is there. */
        fixture->vm.record.intent = INTENT_SETUP;
        *state = fixture;
        return 0;
}

static void make_checkout(struct fixture *fixture)
{
        fixture_do(fixture, "", "git init -q here && cd here && echo one >a && git add a && git commit -qm one");
}

static void expect_brought(struct fixture *fixture, bool came, bool plain)
{
        _cleanup_(repos_brought_clear) struct repos_brought brought = REPOS_BROUGHT_INIT;
        _cleanup_(project_clear) struct project project = fixture_project(fixture, here);
        _cleanup_(error_freep) struct error *error = NULL;

        expect(repos_fill(&fixture->vm, &project, &brought, &fixture->events, &error), 0, &error);
        assert_int_equal(strv_contains(&brought.names, "here"), came);
        assert_int_equal(strv_contains(&brought.plain, "here"), plain);
}

static void each_kind_of_ref_arrives(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fixture_do(
                fixture, "here",
                "git branch detached && git branch a/b && git branch 'say-\"x\"' && git tag -a -m text annotated && git tag light\n"
                "git tag blob HEAD:a && git tag tree HEAD^{tree} && git update-ref refs/notes/commits HEAD\n"
                "echo kept >a && git stash -q && git checkout -q --detach && git commit -q --allow-empty -m two");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here",
                    "git for-each-ref --format='%(objecttype) %(refname)' && git log -1 --format=%s && git fsck 2>&1",
                    "commit refs/heads/a/b\ncommit refs/heads/detached\ncommit refs/heads/main\ncommit refs/heads/say-\"x\"\n"
                    "commit refs/remotes/host/a/b\ncommit refs/remotes/host/detached\ncommit refs/remotes/host/main\n"
                    "commit refs/remotes/host/say-\"x\"\ntag refs/tags/annotated\nblob refs/tags/blob\n"
                    "commit refs/tags/light\ntree refs/tags/tree\ntwo");
}

static void more_refs_than_a_pipe_holds_arrive(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fixture_do(fixture, "here",
                   "head=$(git rev-parse HEAD) && seq -f \"create refs/heads/b%g $head\" 600 | git update-ref --stdin");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git for-each-ref refs/heads refs/remotes | wc -l", "1202");
}

static void more_content_than_a_pipe_holds_arrives(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fixture_do(fixture, "here", "head -c 9000000 /dev/urandom >b && git add b && git commit -q -m b && cp b ../expected");
        fill(fixture, here);
        expect_text(fixture, "", "cmp expected guest/code/here/b && echo same", "same");
}

static void a_shallow_checkout_says_where_it_ends(void **state)
{
        struct fixture *fixture = *state;

        fixture_do(fixture, "",
                   "git init -q deep && cd deep && for i in 1 2 3; do git commit -q --allow-empty -m $i; done\n"
                   "cd .. && git clone -q --depth 2 \"file://$PWD/deep\" here");
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git log --format=%s && git fsck 2>&1", "3\n2");
}

static void lock_files_are_seen_by_the_same_session(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        expect_brought(fixture, true, true);
        expect_brought(fixture, false, false);
        fixture_do(fixture, "", "rm -rf guest/code && cd here && echo >uv.lock && git add uv.lock && git commit -q -m lock");
        expect_brought(fixture, true, false);
}

static void expect_said(const struct error *error, const char *wanted)
{
        _cleanup_(freep) char *text = error_text(error);

        if (!strstr(text, wanted))
                fail_msg("%s", text);
}

/* As if the disk had lost the object. The error is what the packer says, and the next run works. */
static void an_object_that_is_missing_here_is_named(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;

        make_checkout(fixture);
        fixture_do(fixture, "here", "mv \".git/objects/$(git rev-parse HEAD:a | sed 's|..|&/|')\" ../object");
        error = fill_badly(fixture, here);
        assert_int_equal(error->kind, ERROR_STEP);
        expect_said(error, "cannot push '");
        expect_said(error, "'git pack-objects' failed in '");
        expect_text(fixture, "guest/code", "ls", "");
        fixture_do(fixture, "here", "mv ../object \".git/objects/$(git rev-parse HEAD:a | sed 's|..|&/|')\"");
        fill(fixture, here);
        expect_text(fixture, "guest/code", "ls -A && cat here/a", "here\none");
}

static void a_guest_that_takes_nothing_says_why(void **state)
{
        struct fixture *fixture = *state;
        static const struct {
                const char *script;
                const char *said;
        } answers[] = {
                { "echo receiving; echo No space left on device >&2; exit 1", "No space left on device" },
                { "echo receiving; head -c 100000 >/dev/null; echo full >&2; exit 1", "full" },
                { "echo receiving; exec <&-; kill -9 $$", "cannot push '" },
                { "echo", "did not say whether it has 'here'" },
        };

        make_checkout(fixture);
        fixture_do(fixture, "here", "head -c 3000000 /dev/urandom >b && git add b && git commit -q -m b");
        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                _cleanup_(error_freep) struct error *error = NULL;
                _cleanup_(freep) char *text = NULL;

                answer(fixture, "repos-look.sh", answers[i].script);
                error = fill_badly(fixture, here);
                expect_said(error, answers[i].said);
                text = error_text(error);
                assert_null(strstr(text, "pack-objects"));
        }
}

static void what_has_the_repo_already_is_sent_nothing(void **state)
{
        struct fixture *fixture = *state;

        make_checkout(fixture);
        fill(fixture, here);
        fixture_do(fixture, "here",
                   "head -c 3000000 /dev/urandom >b && git add b && git commit -q -m b && git remote remove machine");
        strbuf_reset(&fixture->told);
        fill(fixture, here);
        expect_text(fixture, "guest/code/here", "git log --format=%s", "one");
        expect_text(fixture, "here", "git remote", "machine");
        assert_null(strstr(fixture->told.buf, "pushing"));
}

#define BOTH_WAYS(test)                                                                                                        \
        WITH_FIXTURE(test),                                                                                                    \
        {                                                                                                                      \
#test " (new VM)", test, start_new, end, NULL                                                                  \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH_WAYS(each_kind_of_ref_arrives),
                BOTH_WAYS(more_refs_than_a_pipe_holds_arrive),
                BOTH_WAYS(more_content_than_a_pipe_holds_arrives),
                BOTH_WAYS(a_shallow_checkout_says_where_it_ends),
                BOTH_WAYS(lock_files_are_seen_by_the_same_session),
                BOTH_WAYS(an_object_that_is_missing_here_is_named),
                { "a_guest_that_takes_nothing_says_why", a_guest_that_takes_nothing_says_why, start_new, end, NULL },
                BOTH_WAYS(what_has_the_repo_already_is_sent_nothing),
        };
        const char *missing = fixture_missing();

        if (missing) {
                fprintf(stderr, "skipped: there is no %s here\n", missing);
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
