/* Which URLs may go to git, and which folders they become. */
#include "config/repo-url.h"
#include "mistakes.h"

static void assert_allowed(const char *url, const char *expected_host)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *host = NULL;

        if (repo_url_check(url, &host, &error) < 0)
                fail_msg("'%s' is refused: %s", url, error->message);
        assert_string_equal(host, expected_host);
        assert_int_equal(repo_url_check(url, NULL, NULL), 0);
}

static void assert_refused(const char *url, const char *reason)
{
        _cleanup_(error_freep) struct error *error = NULL;
        char *host = (char *)"untouched";

        if (repo_url_check(url, &host, &error) == 0)
                fail_msg("'%s' is allowed", url);
        assert_string_equal(host, "untouched");
        assert_int_equal(error->kind, ERROR_CONFIG);
        if (!strstr(error->message, reason))
                fail_msg("'%s' is refused, but not because '%s': %s", url, reason, error->message);
}

static void what_forges_offer_for_cloning_is_allowed(void **state)
{
        assert_allowed("https://example.org/jane/blog.git", "example.org");
        assert_allowed("https://jane@example.org/jane/blog", "example.org");
        assert_allowed("https://example.org:8443/jane/blog.git", "example.org");
        assert_allowed("https://dev.example.org/team/My%20Project/_git/My%20Repo", "dev.example.org");
        assert_allowed("git@example.org:jane/blog.git", "example.org");
        assert_allowed("example.org:jane/blog.git", "example.org");
        assert_allowed("work:blog", "work");
        assert_allowed("git@example.org:~jane/blog", "example.org");
        assert_allowed("ssh://git@example.org/jane/blog.git", "example.org");
        assert_allowed("ssh://git@example.org:2222/jane/blog.git", "example.org");
        assert_allowed("git+ssh://git@example.org/jane/blog.git", "example.org");
        assert_allowed("git://example.org/blog.git", "example.org");
        assert_allowed("ssh://git@[2001:db8::7]:2222/blog.git", "2001:db8::7");
        assert_allowed("git@[2001:db8::7]:blog.git", "2001:db8::7");
        assert_allowed("git@host_with-all.sorts:x", "host_with-all.sorts");
}

static void nothing_that_begins_with_a_dash_is_allowed(void **state)
{
        assert_refused("-", "begins with a dash");
        assert_refused("--upload-pack=touch /tmp/x", "begins with a dash");
        assert_refused("--upload-pack=id", "begins with a dash");
        assert_refused("-u./x", "begins with a dash");
        assert_refused("-oProxyCommand=id:x", "begins with a dash");
        assert_refused("--", "begins with a dash");
}

static void no_host_begins_with_a_dash(void **state)
{
        assert_refused("ssh://-oProxyCommand=id/x", "host begins with a dash");
        assert_refused("ssh://-oProxyCommand=id:22/x", "host begins with a dash");
        assert_refused("ssh://git@-oProxyCommand=id/x", "host begins with a dash");
        assert_refused("git@-oProxyCommand=id:x", "host begins with a dash");
        assert_refused("git+ssh://-F/x", "host begins with a dash");
        assert_refused("git://-x/y", "host begins with a dash");
        assert_refused("https://-x/y", "host begins with a dash");
        assert_refused("https://jane@-x/y", "host begins with a dash");
}

static void no_user_begins_with_a_dash(void **state)
{
        assert_refused("ssh://-oProxyCommand=id@example.org/x", "user begins with a dash");
        assert_refused("-oProxyCommand=id@example.org:x", "begins with a dash");
        assert_refused("https://-x@example.org/y", "user begins with a dash");
}

static void a_dash_written_otherwise_is_seen(void **state)
{
        /* git decodes %2d in ssh's host and user before it starts ssh. */
        assert_refused("ssh://%2doProxyCommand=id/x", "its host has more than");
        assert_refused("ssh://%2doProxyCommand=id@example.org/x", "its user has more than");
}

static void no_path_becomes_an_option_on_the_other_side(void **state)
{
        assert_refused("git@example.org:-x", "path begins with a dash");
        assert_refused("git@[2001:db8::7]:--strict", "path begins with a dash");
}

static void transports_that_run_programs_are_refused(void **state)
{
        assert_refused("ext::sh -c 'id'", "white space");
        assert_refused("ext::id", "names a program");
        assert_refused("fd::17", "names a program");
        assert_refused("https::https://example.org/x", "names a program");
        assert_refused("anything-at.all+::x", "names a program");
}

static void other_schemes_are_refused_by_their_name(void **state)
{
        assert_refused("http://example.org/x.git", "'http' is not among");
        assert_refused("ftp://example.org/x.git", "'ftp' is not among");
        assert_refused("HTTPS://example.org/x.git", "'HTTPS' is not among");
        assert_refused("rsync://example.org/x", "'rsync' is not among");
        assert_refused("javascript://x", "is not among");
        assert_refused("://example.org/x", "is not among");
        assert_refused("git@host:x://y", "is not among");
}

static void control_characters_and_white_space_are_refused(void **state)
{
        assert_refused("https://example.org/a\nb", "control characters");
        assert_refused("https://example.org\n.evil.org/x", "control characters");
        assert_refused("https://example.org/a\rb", "control characters");
        assert_refused("https://example.org/a\tb", "white space");
        assert_refused("https://example.org/a b", "white space");
        assert_refused("https://example.org/a\033[31m", "control characters");
        assert_refused("https://example.org/a\177", "control characters");
        assert_refused("https://example.org/a\302\205", "control characters");
        assert_refused("https://example.org/\342\200\256lmth.x", "control characters");
        assert_refused("https://example.org/\377", "control characters");
        assert_refused("git@example.org:a\nb", "control characters");
}

static void control_characters_written_with_percent_are_refused(void **state)
{
        assert_refused("git://example.org/x%0ahost=evil.org", "written with %");
        assert_refused("https://example.org%0d%0ahost=evil.org/x", "written with %");
        assert_refused("https://example.org/a%00b", "written with %");
        assert_refused("https://example.org/a%1Bb", "written with %");
        assert_refused("https://example.org/a%7Fb", "written with %");
        assert_allowed("https://example.org/a%2Fb%", "example.org");
}

static void folders_of_the_host_are_refused(void **state)
{
        assert_refused("/srv/git/blog.git", "folder of the host");
        assert_refused("../blog", "folder of the host");
        assert_refused("blog", "folder of the host");
        assert_refused("./a:b", "folder of the host");
        assert_refused(".", "folder of the host");
        assert_refused("file:///srv/git/blog.git", "doesn't reach the host's folders");
}

static void file_urls_are_for_tests_alone(void **state)
{
        assert_int_equal(setenv("MACHINE_ALLOW_FILE_URLS", "1", 1), 0);
        assert_allowed("file:///srv/git/blog.git", "");
        assert_allowed("file://localhost/srv/git/blog.git", "");
        assert_refused("file://elsewhere/srv", "a file has no host");
        assert_refused("file://", "a file has no host");
        assert_int_equal(setenv("MACHINE_ALLOW_FILE_URLS", "", 1), 0);
        assert_refused("file:///srv/git/blog.git", "doesn't reach the host's folders");
        assert_int_equal(unsetenv("MACHINE_ALLOW_FILE_URLS"), 0);
}

static void a_host_has_to_be_one(void **state)
{
        assert_refused("", "is empty");
        assert_refused("https://", "has no host");
        assert_refused("https:///x", "has no host");
        assert_refused("ssh://git@/x", "has no host");
        assert_refused("ssh://@example.org/x", "user is empty");
        assert_refused("@example.org:x", "user is empty");
        assert_refused(":x", "has no host");
        assert_refused("https://exa$(id)mple.org/x", "its host has more than");
        assert_refused("https://ex'ample.org/x", "its host has more than");
        assert_refused("https://m\303\274nchen.example/x", "its host has more than");
        assert_refused("ssh://[::1/x", "not an IPv6 address");
        assert_refused("ssh://[]/x", "not an IPv6 address");
        assert_refused("ssh://[-oProxyCommand]/x", "not an IPv6 address");
        assert_refused("[git@example.org:22]:x", "user has more than");
        assert_refused("https://a;b@example.org/x", "user has more than");
        assert_refused("https://a@b@example.org/x", "user has more than");
        assert_refused("https://example.org\\@evil.org/x", "backslash");
}

static void a_port_has_to_be_one(void **state)
{
        assert_refused("ssh://example.org:0/x", "port");
        assert_refused("ssh://example.org:65536/x", "port");
        assert_refused("ssh://example.org:/x", "port");
        assert_refused("ssh://example.org:-1/x", "port");
        assert_refused("ssh://example.org:22 /x", "white space");
        assert_refused("ssh://[::1]22/x", "port");
}

static void a_password_is_refused_and_not_repeated(void **state)
{
        static const char *const urls[] = { "https://jane:hunter2@example.org/x", "jane:hunter2@example.org:x" };

        for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
                _cleanup_(error_freep) struct error *error = NULL;

                assert_int_equal(repo_url_check(urls[i], NULL, &error), -1);
                assert_string_equal(error->message, "a repo's URL has a password in it");
                assert_null(strstr(error->hint, "hunter2"));
        }
}

static void a_very_long_url_is_refused(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf url = STRBUF_INIT;

        strbuf_adds(&url, "https://example.org/");
        for (int i = 0; i < 4096; i++)
                strbuf_addc(&url, 'a');
        assert_refused(url.buf, "is longer than 2048 characters");
}

static void assert_named(const char *url, const char *expected)
{
        _cleanup_(freep) char *name = repo_url_name(url);

        if (!streq_ptr(name, expected))
                fail_msg("'%s' is named '%s'", url, name ? name : "(nothing)");
}

static void a_clone_is_named_after_the_last_part(void **state)
{
        assert_named("https://example.org/jane/blog.git", "blog");
        assert_named("https://example.org/jane/blog", "blog");
        assert_named("https://example.org/jane/blog/", "blog");
        assert_named("https://example.org/jane/blog.git///", "blog");
        assert_named("https://example.org/jane/blog/.git", "blog");
        assert_named("git@example.org:blog.git", "blog");
        assert_named("git@[2001:db8::7]:blog.git", "blog");
        assert_named("ssh://git@example.org:2222/a/b/c.d.git", "c.d");
        assert_named("https://example.org/x/My%20Repo", "My%20Repo");
        assert_named("https://example.org/x/machine.github.io", "machine.github.io");
        assert_named("https://example.org/x/\303\274ber", "\303\274ber");
        assert_named("https://example.org/x/a.git.git", "a.git");
}

static void no_name_is_a_path_an_option_or_hidden(void **state)
{
        assert_named("https://example.org", NULL);
        assert_named("https://example.org/", NULL);
        assert_named("https://example.org///", NULL);
        assert_named("https://example.org/.git", NULL);
        assert_named("https://example.org/x/..", NULL);
        assert_named("https://example.org/x/.", NULL);
        assert_named("https://example.org/x/.ssh", NULL);
        assert_named("https://example.org/x/-rf", NULL);
        assert_named("https://example.org/x/-.git", NULL);
        assert_named("https://example.org/x/a;b", NULL);
        assert_named("https://example.org/x/$(id)", NULL);
        assert_named("https://example.org/x/a?b", NULL);
        assert_named("git@example.org:", NULL);
        assert_named(".", NULL);
        assert_named("", NULL);
}

static void a_name_that_is_too_long_for_a_folder_is_none(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf url = STRBUF_INIT;

        strbuf_adds(&url, "host:");
        for (int i = 0; i < 300; i++)
                strbuf_addc(&url, 'a');
        assert_named(url.buf, NULL);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_forges_offer_for_cloning_is_allowed),
                cmocka_unit_test(nothing_that_begins_with_a_dash_is_allowed),
                cmocka_unit_test(no_host_begins_with_a_dash),
                cmocka_unit_test(no_user_begins_with_a_dash),
                cmocka_unit_test(a_dash_written_otherwise_is_seen),
                cmocka_unit_test(no_path_becomes_an_option_on_the_other_side),
                cmocka_unit_test(transports_that_run_programs_are_refused),
                cmocka_unit_test(other_schemes_are_refused_by_their_name),
                cmocka_unit_test(control_characters_and_white_space_are_refused),
                cmocka_unit_test(control_characters_written_with_percent_are_refused),
                cmocka_unit_test(folders_of_the_host_are_refused),
                cmocka_unit_test(file_urls_are_for_tests_alone),
                cmocka_unit_test(a_host_has_to_be_one),
                cmocka_unit_test(a_port_has_to_be_one),
                cmocka_unit_test(a_password_is_refused_and_not_repeated),
                cmocka_unit_test(a_very_long_url_is_refused),
                cmocka_unit_test(a_clone_is_named_after_the_last_part),
                cmocka_unit_test(no_name_is_a_path_an_option_or_hidden),
                cmocka_unit_test(a_name_that_is_too_long_for_a_folder_is_none),
        };

        unsetenv("MACHINE_ALLOW_FILE_URLS");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
