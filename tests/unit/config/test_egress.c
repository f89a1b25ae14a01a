/* What a project's rules become: "@git" stands for the hosts of its repos, at the ports of their URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "config/egress.h"

static const struct {
        const char *url;
        const char *rule; /* NULL = none */
} repos[] = {
        { "https://example.org/jane/blog.git", "example.org" },
        { "https://jane@example.org:8443/blog.git", "example.org:8443" },
        { "git@example.org:jane/blog.git", "example.org:22" },
        { "example.org:blog", "example.org:22" },
        { "ssh://git@example.org:2222/blog.git", "example.org:2222" },
        { "git+ssh://example.org/blog.git", "example.org:22" },
        { "git://10.1.2.3/blog.git", "10.1.2.3:9418" },
        { "git@[2001:db8::1]:blog.git", NULL },
        { ".", NULL },
};

static void each_repo_stands_for_its_host_and_port(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(repos); i++) {
                struct project_repo repo = { .url = (char *)repos[i].url };
                struct project project = { .egress = (char *)"allow", .repos = &repo, .repo_count = 1 };
                _cleanup_(strv_clear) struct strv rules = STRV_INIT;

                print_message("%s\n", repos[i].url);
                strv_adds(&project.allow, "@git", "api.example.org", "@git", NULL);
                egress_rules(&project, &rules);
                assert_int_equal(rules.count, repos[i].rule ? 2 : 1);
                if (repos[i].rule)
                        assert_string_equal(rules.items[0], repos[i].rule);
                assert_string_equal(rules.items[rules.count - 1], "api.example.org");
                strv_clear(&project.allow);
        }
}

static void there_are_none_unless_they_count(void **state)
{
        static const char *const modes[] = { "open", "none" };

        for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
                struct project project = { .egress = (char *)modes[i] };
                _cleanup_(strv_clear) struct strv rules = STRV_INIT;

                strv_add(&project.allow, "api.example.org");
                egress_rules(&project, &rules);
                assert_int_equal(rules.count, 0);
                strv_clear(&project.allow);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_repo_stands_for_its_host_and_port),
                cmocka_unit_test(there_are_none_unless_they_count),
        };

        return cmocka_run_group_tests_name("config/egress", tests, NULL, NULL);
}
