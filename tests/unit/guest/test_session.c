/* Commands over ssh, to a real sshd (fixture.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include "fixture.h"
#include "guest/session.h"
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/os.h"
#include "lib/process.h"

static const char hostile[] = "it's $HOME `id` \\ \"q\" * ~ # ! ; & | \n\t-x";

static int start(void **state)
{
        *state = fixture_new();
        return 0;
}

static int end(void **state)
{
        fixture_free(*state);
        return 0;
}

static int script(struct fixture *fixture, bool agent, const char *text, const char *const *args, struct strbuf *out,
                  struct error **err)
{
        return session_script(&(struct session){ .vm = &fixture->vm, .forward_agent = agent }, text, args, 20000, NULL, NULL,
                              out, err);
}

static void options_stand_in_front_of_the_alias(void **state)
{
        struct vm vm = { .name = (char *)"blog", .folder = (char *)"/a b/vm" };
        _cleanup_(strv_clear) struct strv argv = STRV_INIT, login = STRV_INIT;
        _cleanup_(freep) char *line = NULL, *login_line = NULL;

        unsetenv("SSH_AUTH_SOCK");
        setenv("HOME", "/nowhere", 1);
        session_argv(&(struct session){ .vm = &vm, .forward_agent = true, .terminal = SESSION_TERMINAL }, "cd 'x y' && ls",
                     &argv);
        line = strv_join(&argv, "|");
        assert_string_equal(line, "ssh|-F|/a b/vm/ssh_config|-a|-t|--|machine-blog|exec sh -c 'cd '\\''x y'\\'' && ls'");
        session_argv(&(struct session){ .vm = &vm }, NULL, &login);
        login_line = strv_join(&login, "|");
        assert_string_equal(login_line, "ssh|-F|/a b/vm/ssh_config|-a|-T|--|machine-blog");
}

static void the_agent_gets_a_connection_of_its_own(void **state)
{
        struct vm vm = { .name = (char *)"blog", .folder = (char *)"/vm" };
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(freep) char *line = NULL;
        const char *ssh;

        strv_adds(&vm.record.keys, "SHA256:abc", "jane@laptop", "/no/such/file.pub", NULL);
        setenv("SSH_AUTH_SOCK", "/agent", 1);
        session_argv(&(struct session){ .vm = &vm, .forward_agent = true }, "true", &argv);
        unsetenv("SSH_AUTH_SOCK");
        strv_clear(&vm.record.keys);
        line = strv_join(&argv, "|");
        /* The session runs in machine-keys. A file that is gone adds no key. */
        assert_true(ends_with(argv.items[0], "/machine-keys"));
        assert_non_null(strstr(line, "|--agent=/agent|"));
        assert_non_null(strstr(line, "|--log=/vm/logs/keys.log|--key=SHA256:abc|--comment=jane@laptop|--key=none|--|"));
        ssh = strstr(line, "|ssh|");
        assert_non_null(ssh);
        assert_string_equal(ssh, "|ssh|-F|/vm/ssh_config|-o|IdentityAgent=SSH_AUTH_SOCK|-A|-o|ControlMaster=no|-o|"
                                 "ControlPath=none|-T|--|machine-blog|exec sh -c true");
}

static void arguments_arrive_as_they_are(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *wanted = xasprintf("2|%s||", hostile);

        assert_int_equal(script(*state, false, "printf '%s|' $# \"$@\"", (const char *const[]){ hostile, "", NULL }, &out,
                                &error),
                         0);
        assert_string_equal(out.buf, wanted);
}

/* Runs a long script in a child that is killed once the script has written its pid to the guest's file "pid". Returns the pid.
 */
static pid_t pid_of_killed(struct fixture *fixture, const char *text, int timeout_ms)
{
        _cleanup_(freep) char *path = path_join(fixture->guest, "pid");
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        deadline limit = deadline_in(20000);
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
                session_script(&(struct session){ .vm = &fixture->vm }, text, NULL, timeout_ms, NULL, NULL, NULL, NULL);
                _exit(1);
        }
        while (!file_exists(path) && !deadline_passed(limit))
                poll(NULL, 0, 10);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(process_wait(child, 20000, NULL, NULL), 1);
        assert_int_equal(file_read(path, 100, &said, NULL), 0);
        return (pid_t)strtol(said.buf, NULL, 10);
}

static void a_long_script_ends_with_us_and_takes_its_children_along(void **state)
{
        pid_t pid = pid_of_killed(*state, "sleep 600 & echo $! >pid.new; mv pid.new pid; sleep 600; exit 3", 3600000);
        _cleanup_(closep) int fd = os_process_fd(pid);

        if (fd < 0)
                assert_int_equal(errno, ESRCH);
        else
                assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 20000), 1);
}

static void a_long_script_is_like_any_other_when_nobody_is_killed(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        struct session session = { .vm = &fixture->vm };

        assert_int_equal(session_script(&session, "sleep 0.01 & wait; echo \"$1\"", (const char *const[]){ "good", NULL },
                                        3600000, NULL, NULL, &out, NULL),
                         0);
        assert_string_equal(out.buf, "good\n");
        assert_int_equal(session_script(&session, "false", NULL, 3600000, NULL, NULL, NULL, NULL), -1);
}

static void a_command_line_arrives_as_it_is(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        session_argv(&(struct session){ .vm = &fixture->vm }, "printf %s 'a  b' \"it's $((1 + 1))\"; printf '\n%s' \"$0\"",
                     &argv);
        assert_int_equal(process_check(&(struct process_spec){ .argv = strv_argv(&argv), .timeout_ms = 20000 }, &out, &error),
                         0);
        assert_string_equal(out.buf, "a  bit's 2\nsh");
}

/* The user's shell runs it if it is the one that the record has; any other one starts sh. Both see the same words. */
static void the_shell_that_the_user_was_given_runs_it_itself(void **state)
{
        struct fixture *fixture = *state;
        static const char remote[] =
                "printf '%s|' 'a  b' \"it's $((1 + 1))\" '=x' '*'; printf %s \"${BASH_VERSION:+bash}${ZSH_VERSION:+zsh}\"";
        static const char *const given[] = { "bash", "zsh", NULL };
        bool bash = streq(getpwuid(getuid())->pw_shell, "/bin/bash");

        for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
                _cleanup_(strv_clear) struct strv argv = STRV_INIT;
                _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
                _cleanup_(error_freep) struct error *error = NULL;

                set_string(&fixture->vm.record.shell, given[i] ? xstrdup(given[i]) : NULL);
                session_argv(&(struct session){ .vm = &fixture->vm }, remote, &argv);
                assert_int_equal(process_check(&(struct process_spec){ .argv = strv_argv(&argv), .timeout_ms = 20000 }, &out,
                                               &error),
                                 0);
                assert_string_equal(out.buf,
                                    streq_ptr(given[i], "bash") && bash ? "a  b|it's 2|=x|*|bash" : "a  b|it's 2|=x|*|");
        }
}

static void no_command_of_a_script_eats_the_rest_of_it(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(script(*state, false, "cat >/dev/null\necho still here", NULL, &out, &error), 0);
        assert_string_equal(out.buf, "still here\n");
}

static void a_failing_script_is_a_step_that_failed(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(script(*state, false, "echo kept back; printf 'no \\033[31mspace\\n' >&2; exit 3", NULL, &out, &error),
                         -1);
        assert_int_equal(error->kind, ERROR_STEP);
        assert_string_equal(error->message, "a script in VM 'test' failed: no \\x1b[31mspace");
        assert_int_equal(out.len, 0);
}

static void a_guest_that_cannot_be_reached_is_said_so(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;

        session_close(&fixture->vm);
        fixture_do(fixture, "", "mv sshd_guest away");
        assert_int_equal(script(fixture, false, "true", NULL, NULL, &error), -1);
        fixture_do(fixture, "", "mv away sshd_guest");
        assert_int_equal(error->kind, ERROR_STEP);
        assert_non_null(strstr(error->message, "an ssh session with VM 'test' failed"));
}

static void the_master_serves_and_can_be_ended(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *before = NULL, *after = NULL;

        assert_int_equal(script(fixture, false, "true", NULL, NULL, NULL), 0);
        before = fixture_run(fixture, "", "test -S master && ssh -F vm/ssh_config -O check machine-test 2>&1");
        assert_non_null(strstr(before, "Master running"));
        session_close(&fixture->vm);
        /* The master answers before it removes its socket. */
        after = fixture_run(fixture, "",
                            "n=0; while test -e master && test $n -lt 100; do sleep 0.1; n=$((n + 1)); done; "
                            "test ! -e master && echo ended");
        assert_string_equal(after, "ended");
        session_close(&fixture->vm);
}

static void the_agent_reaches_only_the_session_that_was_meant(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(strbuf_clear) struct strbuf with = STRBUF_INIT, without = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(script(fixture, true, "ssh-add -l; echo \"$SSH_AUTH_SOCK\"", NULL, &with, &error), 0);
        assert_non_null(strstr(with.buf, "(ED25519)"));
        assert_int_equal(script(fixture, false, "echo \"${SSH_AUTH_SOCK:-none}\"", NULL, &without, &error), 0);
        assert_string_equal(without.buf, "none\n");
}

static void an_agent_that_ssh_does_not_know_of_is_named(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(freep) char *home = path_join(fixture->folder, "my %h \"home\"");
        _cleanup_(freep) char *folder = path_join(home, ".1password");
        _cleanup_(freep) char *socket = path_join(folder, "agent.sock");
        _cleanup_(freep) char *set = xstrdup(getenv("SSH_AUTH_SOCK"));
        _cleanup_(freep) char *before = xstrdup(getenv("HOME"));
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        assert_int_equal(symlink(set, socket), 0);
        setenv("HOME", home, 1);
        unsetenv("SSH_AUTH_SOCK");
        assert_int_equal(script(fixture, true, "ssh-add -l", NULL, &out, &error), 0);
        setenv("HOME", before, 1);
        setenv("SSH_AUTH_SOCK", set, 1);
        assert_non_null(strstr(out.buf, "(ED25519)"));
}

static int start_with_agent(void **state)
{
        start(state);
        fixture_start_forge(*state);
        return 0;
}

int main(void)
{
        const struct CMUnitTest plain[] = {
                cmocka_unit_test(options_stand_in_front_of_the_alias),
                cmocka_unit_test(the_agent_gets_a_connection_of_its_own),
        };
        const struct CMUnitTest with_sshd[] = {
                cmocka_unit_test(arguments_arrive_as_they_are),
                cmocka_unit_test(a_long_script_ends_with_us_and_takes_its_children_along),
                cmocka_unit_test(a_long_script_is_like_any_other_when_nobody_is_killed),
                cmocka_unit_test(a_command_line_arrives_as_it_is),
                cmocka_unit_test(the_shell_that_the_user_was_given_runs_it_itself),
                cmocka_unit_test(no_command_of_a_script_eats_the_rest_of_it),
                cmocka_unit_test(a_failing_script_is_a_step_that_failed),
                cmocka_unit_test(the_master_serves_and_can_be_ended),
                cmocka_unit_test(a_guest_that_cannot_be_reached_is_said_so),
        };
        const struct CMUnitTest with_agent[] = {
                cmocka_unit_test(the_agent_reaches_only_the_session_that_was_meant),
                cmocka_unit_test(an_agent_that_ssh_does_not_know_of_is_named),
        };
        int failures = cmocka_run_group_tests(plain, NULL, NULL);

        if (fixture_missing()) {
                fprintf(stderr, "skipped: there is no %s here\n", fixture_missing());
                return failures > 0 ? failures : 77;
        }
        return failures + cmocka_run_group_tests(with_sshd, start, end) +
               cmocka_run_group_tests(with_agent, start_with_agent, end);
}
