/* What the URLs of repos mean, and the advice when a clone fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/clone.h"
#include "guest/reach.h"

static void assert_remote(const char *url, bool ssh, const char *user, const char *known_host)
{
        _cleanup_(remote_clear) struct remote remote = REMOTE_INIT;
        _cleanup_(freep) char *name = NULL;

        remote_parse(url, &remote);
        assert_int_equal(remote.ssh, ssh);
        assert_true(streq_ptr(remote.user, user));
        if (!known_host) {
                assert_null(remote.host);
                return;
        }
        name = remote_known_host(&remote);
        assert_string_equal(name, known_host);
}

static void urls_say_host_port_and_user(void **state)
{
        assert_remote("https://example.org/a/b.git", false, NULL, "example.org");
        assert_remote("https://me@example.org:8443/a/b.git", false, "me", "[example.org]:8443");
        assert_remote("ssh://git@example.org/a.git", true, "git", "example.org");
        assert_remote("ssh://git@example.org:22/a.git", true, "git", "example.org");
        assert_remote("ssh://git@example.org:2222/a:b@c.git", true, "git", "[example.org]:2222");
        assert_remote("ssh://git@[2001:db8::1]:2222/a.git", true, "git", "[2001:db8::1]:2222");
        assert_remote("git+ssh://example.org/a.git", true, NULL, "example.org");
        assert_remote("git@example.org:a/b.git", true, "git", "example.org");
        assert_remote("example.org:a/b:c@d.git", true, NULL, "example.org");
        assert_remote("git@[2001:db8::1]:a.git", true, "git", "2001:db8::1");
        assert_remote("git://example.org/a.git", false, NULL, "example.org");
        assert_remote("file:///srv/a.git", false, NULL, NULL);
}

static void a_port_that_is_none_is_left_out(void **state)
{
        assert_remote("ssh://git@example.org:99999/a.git", true, "git", "example.org");
        assert_remote("ssh://git@example.org:/a.git", true, "git", "example.org");
}

static void passwords_are_not_shown(void **state)
{
        static const char *const urls[][2] = {
                { "https://me:s3cret@example.org/a.git", "https://me:***@example.org/a.git" },
                { "https://me:s@cret@example.org/a@b.git", "https://me:***@example.org/a@b.git" },
                { "https://me@example.org:8443/a.git", "https://me@example.org:8443/a.git" },
                { "https://example.org/a:b@c", "https://example.org/a:b@c" },
                { "git@example.org:a.git", "git@example.org:a.git" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
                _cleanup_(freep) char *shown = remote_shown(urls[i][0]);

                assert_string_equal(shown, urls[i][1]);
        }
}

static void only_private_and_link_local_hosts_need_lan(void **state)
{
        enum address_class class = ADDRESS_PUBLIC;

        assert_int_equal(reach_needs_lan("192.168.7.7", deadline_in(5000), &class), 1);
        assert_int_equal(class, ADDRESS_PRIVATE);
        assert_int_equal(reach_needs_lan("fe80::1", deadline_in(5000), &class), 1);
        assert_int_equal(class, ADDRESS_LINK_LOCAL);
        assert_int_equal(reach_needs_lan("fd12:3456::1", deadline_in(5000), &class), 1);
        assert_int_equal(reach_needs_lan("198.51.100.1", deadline_in(5000), &class), 0);
        assert_int_equal(reach_needs_lan("8.8.8.8", deadline_in(5000), &class), 0);
        assert_int_equal(reach_needs_lan("127.0.0.1", deadline_in(5000), &class), 0);
        assert_int_equal(reach_needs_lan("no host at all", deadline_in(5000), &class), 0);
}

static void assert_hint(const char *url, bool agent, const char *said, const char *wanted)
{
        const struct project project = { .name = (char *)"blog", .forward_agent = agent };
        _cleanup_(remote_clear) struct remote remote = REMOTE_INIT;
        _cleanup_(freep) char *hint = NULL;

        remote_parse(url, &remote);
        hint = clone_hint(&project, &remote, said);
        if (wanted)
                assert_string_equal(hint, wanted);
        else
                assert_null(hint);
}

static void a_failed_clone_says_what_to_do(void **state)
{
        assert_hint("ssh://git@example.org:2222/a.git", true, "x; Host key verification failed.; y",
                    "connect to it once from this computer: ssh -p 2222 -T git@example.org");
        assert_hint("git@example.org:a.git", false, "git@example.org: Permission denied (publickey).",
                    "set 'forward_agent = true' for project 'blog'");
        assert_hint("git@example.org:a.git", true, "git@example.org: Permission denied (publickey).",
                    "ssh-add -l lists the keys that your agent offers");
        assert_hint("https://example.org/a.git", true, "fatal: could not read Username for 'https://example.org'",
                    "use the ssh URL of the repo: git@example.org:OWNER/REPO.git");
        assert_hint("https://example.org/a.git", true, "fatal: the remote end hung up", NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(urls_say_host_port_and_user),    cmocka_unit_test(a_port_that_is_none_is_left_out),
                cmocka_unit_test(passwords_are_not_shown),        cmocka_unit_test(only_private_and_link_local_hosts_need_lan),
                cmocka_unit_test(a_failed_clone_says_what_to_do),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
