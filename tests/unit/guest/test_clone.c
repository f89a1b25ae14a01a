/* Repos that the guest clones (fixture.h says what is real). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "repos_test.h"

static void missing_repos_are_cloned_and_others_left_alone(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = file_url(fixture, "app.git"), *api = file_url(fixture, "api.git");

        make_forge_repo(fixture, "app.git");
        make_forge_repo(fixture, "api.git");
        fill(fixture, (const char *const[]){ app, NULL });
        expect_text(fixture, "guest/code/app", "cat a; git status --porcelain; echo kept >mine", "one");
        fill(fixture, (const char *const[]){ app, api, NULL });
        expect_text(fixture, "guest/code", "cat app/mine api/a; ls -A", "kept\none\napi\napp");
        assert_non_null(strstr(fixture->told.buf, "app: Cloning into"));
}

static void a_failed_clone_leaves_nothing_and_keeps_no_other_back(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *good = file_url(fixture, "good.git"), *gone = file_url(fixture, "gone.git");
        _cleanup_(freep) char *lost = file_url(fixture, "lost.git");
        _cleanup_(error_freep) struct error *error = NULL;

        make_forge_repo(fixture, "good.git");
        error = fill_badly(fixture, (const char *const[]){ gone, good, lost, NULL });
        assert_int_equal(error->kind, ERROR_STEP);
        assert_non_null(strstr(error->message, "gone.git' in VM 'test': "));
        assert_non_null(strstr(error->message, "does not appear to be a git repository"));
        assert_non_null(error->next);
        assert_non_null(strstr(error->next->message, "lost.git"));
        assert_null(error->next->next);
        expect_text(fixture, "guest/code", "ls -A", "good");
}

static void a_failed_clone_says_why_in_one_line_and_keeps_a_log(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *gone = file_url(fixture, "gone.git"), *log = NULL, *hint = NULL, *text = NULL;
        _cleanup_(error_freep) struct error *error = NULL;

        error = fill_badly(fixture, (const char *const[]){ gone, NULL });
        assert_true(ends_with(error->message, "does not appear to be a git repository"));
        assert_null(strchr(error->message, ';'));
        log = xasprintf("%s/logs/clone-gone.log", fixture->vm.folder);
        hint = xasprintf("less '%s'", log);
        assert_string_equal(error->hint, hint);
        text = fixture_run(fixture, "", "cat */logs/clone-gone.log");
        assert_non_null(strstr(text, "Could not read from remote repository"));
}

static void a_clone_that_meets_an_untrusted_ca_leads_to_the_setting(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = file_url(fixture, "app.git");
        _cleanup_(error_freep) struct error *error = NULL;

        answer(fixture, "repos-look.sh", "echo missing");
        answer(fixture, "repos-clone.sh",
               "echo \"0 said Cloning into 'app'...\"\n"
               "echo \"0 said fatal: unable to access 'https://x/': server certificate verification failed. CAfile: none\"\n"
               "echo '0 ended 128'");
        error = fill_badly(fixture, (const char *const[]){ app, NULL });
        assert_non_null(strstr(error->hint, "write trust_host_ca = true into '"));
        assert_non_null(strstr(error->hint, "then: machine up test; all that git said: less '"));
}

static void a_clone_that_broke_off_is_worth_another_try(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = file_url(fixture, "app.git");
        _cleanup_(error_freep) struct error *error = NULL;

        answer(fixture, "repos-look.sh", "echo missing");
        answer(fixture, "repos-clone.sh", "echo '0 said fatal: early EOF'; echo '0 ended 128'");
        error = fill_badly(fixture, (const char *const[]){ app, NULL });
        assert_null(error->hint);
        error_again(&error, "machine up test");
        assert_string_equal(error->hint,
                            "run it again: machine up test goes on from where it stopped, and a network that broke "
                            "off often holds the next time");
}

static void what_a_killed_clone_left_is_no_repo(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = file_url(fixture, "app.git");

        make_forge_repo(fixture, "app.git");
        fixture_do(fixture, "guest", "mkdir -p code/.partial.1234/app/.git/objects code/app");
        fill(fixture, (const char *const[]){ app, NULL });
        expect_text(fixture, "guest/code", "cat app/a; ls -A", "one\napp");
}

static void a_folder_that_is_no_repo_is_not_touched(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = file_url(fixture, "app.git");
        _cleanup_(error_freep) struct error *error = NULL;

        make_forge_repo(fixture, "app.git");
        fixture_do(fixture, "guest", "mkdir -p code/app && echo mine >code/app/notes");
        error = fill_badly(fixture, (const char *const[]){ app, NULL });
        assert_string_equal(error->message, "'~/code/app' in VM 'test' is not a git repository");
        assert_string_equal(error->hint, "machine run test -- sh -c 'mv ~/code/app ~/app.old'");
        expect_text(fixture, "guest/code", "ls -A app", "notes");
}

static void submodules_come_with_the_clone(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *outer = file_url(fixture, "outer.git");

        make_forge_repo(fixture, "inner.git");
        make_forge_repo(fixture, "outer.git");
        fixture_do(fixture, "forge",
                   "git clone -q outer.git w && cd w && git -c protocol.file.allow=always submodule --quiet add "
                   "\"file://$(cd .. && pwd)/inner.git\" lib && git commit -qm sub && git push -q && cd .. && rm -rf w");
        fixture_do(fixture, "guest", "git config --file .gitconfig protocol.file.allow always");
        fill(fixture, (const char *const[]){ outer, NULL });
        expect_text(fixture, "guest/code/outer", "cat lib/a; git -C lib status --porcelain", "one");
        move_origin(fixture, "guest/code/outer");
        move_origin(fixture, "guest/code/outer/lib");
        expect_work(fixture, NULL, NULL);
        fixture_do(fixture, "guest/code/outer/lib",
                   "echo x >x && git add x && git commit -qm x && cd .. && git commit -qam up");
        expect_work(fixture, NULL,
                    "~/code/outer/lib: the detached HEAD has 1 unpushed commit\n"
                    "~/code/outer: branch 'main' has 1 unpushed commit");
}

static void a_private_address_without_lan_is_refused_before_anything_is_tried(void **state)
{
        _cleanup_(repos_brought_clear) struct repos_brought brought = REPOS_BROUGHT_INIT;
        struct fixture *fixture = *state;
        _cleanup_(project_clear) struct project project =
                fixture_project(fixture, (const char *const[]){ "ssh://git@192.168.7.7/a.git", "git@[fe80::1]:b.git", NULL });
        _cleanup_(error_freep) struct error *error = NULL;

        project.lan = false;
        expect(repos_fill(&fixture->vm, &project, &brought, &fixture->events, &error), -1, &error);
        assert_int_equal(error->kind, ERROR_CONFIG);
        assert_string_equal(error->hint, "set 'lan = true' for project 'test'");
        assert_string_equal(error->file, "projects.toml");
        assert_int_equal(error->line, 1);
        assert_string_equal(
                error->message,
                "repo 'ssh://git@192.168.7.7/a.git' is on a private address, which project 'test' does not let its VM reach");
        assert_non_null(error->next);
        assert_int_equal(error->next->line, 2);
        expect_text(fixture, "guest/code", "ls -A", "");
}

/* --- over ssh, with the agent */

static void what_a_guest_answers_is_only_text(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = file_url(fixture, "app.git");
        _cleanup_(error_freep) struct error *error = NULL;

        answer(fixture, "repos-look.sh", "echo missing");
        answer(fixture, "repos-clone.sh",
               "echo 'hello'; echo '1 ended 0'; echo '-1 ended 0'; echo '99999999999999999999 ended 0'; echo ' said x'\n"
               "printf '0 said \\033]0;evil\\007\\n'; echo '0 ended 0 or so'; echo '0 ended 300'; echo '0 ended'");
        error = fill_badly(fixture, (const char *const[]){ app, NULL });
        assert_non_null(strstr(error->message, "': \\x1b]0;evil\\x07"));
        assert_null(strchr(fixture->told.buf, '\033'));
        assert_non_null(strstr(fixture->told.buf, "app: \\x1b]0;evil"));
}

static void a_guest_that_does_not_say_what_it_has_is_an_error(void **state)
{
        struct fixture *fixture = *state;
        static const char *const answers[] = { "", "echo", "echo missing", "echo 'have have'" };
        _cleanup_(freep) char *app = file_url(fixture, "app.git"), *api = file_url(fixture, "api.git");

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                _cleanup_(error_freep) struct error *error = NULL;

                answer(fixture, "repos-look.sh", answers[i]);
                error = fill_badly(fixture, (const char *const[]){ app, api, NULL });
                assert_non_null(strstr(error->message, "did not say whether it has '"));
        }
}

static void an_unknown_host_key_is_refused_with_what_to_do(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = ssh_url(fixture, "app.git");
        _cleanup_(freep) char *hint =
                xasprintf("connect to it once from this computer: ssh -p %u -T 127.0.0.1", (unsigned)fixture->forge_port);
        _cleanup_(error_freep) struct error *error = NULL;

        make_forge_repo(fixture, "app.git");
        fixture_do(fixture, "", "rm -f host/.ssh/known_hosts");
        error = fill_badly(fixture, (const char *const[]){ app, NULL });
        assert_non_null(strstr(error->message, "Host key verification failed"));
        assert_string_equal(error->hint, hint);
        assert_null(error->next);
}

static void a_host_that_the_person_knows_is_cloned_from_with_their_agent(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = ssh_url(fixture, "app.git"), *script = NULL;

        script = xasprintf(
                "echo \"[127.0.0.1]:%u $(cat key_forge.pub)\" >host/.ssh/known_hosts && ssh-keygen -q -H -f host/.ssh/known_hosts\n"
                "printf 'old.example.org ssh-ed25519 AAAA' >guest/.ssh/known_hosts",
                (unsigned)fixture->forge_port);
        fixture_do(fixture, "", script);
        fill(fixture, (const char *const[]){ app, NULL });
        expect_text(fixture, "guest/code/app", "cat a", "one");
        /* The old lines stay, and each key is added once. */
        fixture_do(fixture, "guest/code", "rm -rf app");
        fill(fixture, (const char *const[]){ app, NULL });
        expect_text(
                fixture, "guest/.ssh",
                "head -n 1 known_hosts; grep -c '^\\[127.0.0.1\\]' known_hosts; grep -c '^git.sr.ht ' known_hosts; stat -c %a known_hosts",
                "old.example.org ssh-ed25519 AAAA\n1\n3\n600");
}

static void without_the_agent_the_forge_lets_nobody_in(void **state)
{
        _cleanup_(repos_brought_clear) struct repos_brought brought = REPOS_BROUGHT_INIT;
        struct fixture *fixture = *state;
        _cleanup_(freep) char *app = ssh_url(fixture, "app.git");
        _cleanup_(project_clear) struct project project = fixture_project(fixture, (const char *const[]){ app, NULL });
        _cleanup_(error_freep) struct error *error = NULL;

        fixture_do(fixture, "guest/code", "rm -rf app");
        project.forward_agent = false;
        expect(repos_fill(&fixture->vm, &project, &brought, &fixture->events, &error), -1, &error);
        assert_non_null(strstr(error->message, "Permission denied"));
        assert_string_equal(error->hint, "set 'forward_agent = true' for project 'test'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_FIXTURE(missing_repos_are_cloned_and_others_left_alone),
                WITH_FIXTURE(a_failed_clone_leaves_nothing_and_keeps_no_other_back),
                WITH_FIXTURE(a_failed_clone_says_why_in_one_line_and_keeps_a_log),
                WITH_FIXTURE(a_clone_that_meets_an_untrusted_ca_leads_to_the_setting),
                WITH_FIXTURE(a_clone_that_broke_off_is_worth_another_try),
                WITH_FIXTURE(what_a_killed_clone_left_is_no_repo),
                WITH_FIXTURE(a_folder_that_is_no_repo_is_not_touched),
                WITH_FIXTURE(submodules_come_with_the_clone),
                WITH_FIXTURE(what_a_guest_answers_is_only_text),
                WITH_FIXTURE(a_guest_that_does_not_say_what_it_has_is_an_error),
                WITH_FIXTURE(a_private_address_without_lan_is_refused_before_anything_is_tried),
        };
        const struct CMUnitTest over_ssh[] = {
                cmocka_unit_test(an_unknown_host_key_is_refused_with_what_to_do),
                cmocka_unit_test(a_host_that_the_person_knows_is_cloned_from_with_their_agent),
                cmocka_unit_test(without_the_agent_the_forge_lets_nobody_in),
        };
        const char *missing = fixture_missing();

        if (missing) {
                fprintf(stderr, "skipped: there is no %s here\n", missing);
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL) + cmocka_run_group_tests(over_ssh, start_with_forge, end);
}
