/* How a project's rules and key hosts are expanded: "@git" stands for the hosts of its repos, at the ports of their URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "config/egress.h"
#include "config/key-hosts.h"

static const struct {
        const char *url;
        const char *rule; /* NULL = none */
        const char *host; /* as a key host; NULL = none */
} repos[] = {
        { "https://example.org/jane/blog.git", "example.org", NULL },
        { "https://jane@example.org:8443/blog.git", "example.org:8443", NULL },
        { "git@example.org:jane/blog.git", "example.org:22", "example.org" },
        { "example.org:blog", "example.org:22", "example.org" },
        { "ssh://git@example.org:2222/blog.git", "example.org:2222", "[example.org]:2222" },
        { "git+ssh://example.org/blog.git", "example.org:22", "example.org" },
        { "git://10.1.2.3/blog.git", "10.1.2.3:9418", NULL },
        { "git@[2001:db8::1]:blog.git", NULL, "2001:db8::1" },
        { ".", NULL, NULL },
};

static void each_repo_stands_for_its_host_and_port(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(repos); i++) {
                struct project_repo repo = { .url = (char *)repos[i].url };
                struct project project = { .egress = (char *)"allow", .repos = &repo, .repo_count = 1 };
                _cleanup_(strv_clear) struct strv rules = STRV_INIT;

                print_message("%s\n", repos[i].url);
                strv_adds(&project.allow, "@git", "api.example.org", "@git", NULL);
                egress_rules(&project, &(struct strv)STRV_INIT, &rules);
                assert_int_equal(rules.count, repos[i].rule ? 2 : 1);
                if (repos[i].rule)
                        assert_string_equal(rules.items[0], repos[i].rule);
                assert_string_equal(rules.items[rules.count - 1], "api.example.org");
                strv_clear(&project.allow);
        }
}

static void a_client_stands_for_what_the_guest_said_of_it(void **state)
{
        struct project project = { .egress = (char *)"allow" };
        _cleanup_(strv_clear) struct strv clients = STRV_INIT;
        _cleanup_(strv_clear) struct strv unanswered = STRV_INIT;
        _cleanup_(strv_clear) struct strv rules = STRV_INIT;
        _cleanup_(freep) char *text = NULL;

        strv_adds(&clients, "@npm one.example.org", "@npm two.example.org:8443", "@pip one.example.org",
                  "@apt three.example.org", NULL);
        strv_adds(&project.allow, "@npm", "api.example.org", "@pip", "@go", "@cargo", "@go", NULL);
        egress_rules(&project, &clients, &rules);
        text = strv_join(&rules, " ");
        assert_string_equal(text, "one.example.org two.example.org:8443 api.example.org");
        egress_unanswered(&project, &clients, &unanswered);
        set_string(&text, strv_join(&unanswered, " "));
        assert_string_equal(text, "@go @cargo");
        project.egress = (char *)"none";
        strv_clear(&unanswered);
        egress_unanswered(&project, &clients, &unanswered);
        assert_int_equal(unanswered.count, 0);
        strv_clear(&project.allow);
}

static void what_stands_for_rules_is_known(void **state)
{
        static const char *const wrong[] = { "@", "@np", "@npmx", "@NPM", "@npm:443" };
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(egress_check("@git", NULL), 0);
        for (size_t i = 0; egress_clients[i]; i++)
                assert_int_equal(egress_check(egress_clients[i], NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                assert_int_equal(egress_check(wrong[i], &error), -1);
                assert_int_equal(error->kind, ERROR_CONFIG);
                error_free(TAKE_PTR(error));
        }
}

static void there_are_none_unless_they_count(void **state)
{
        static const char *const modes[] = { "open", "none" };

        for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
                struct project project = { .egress = (char *)modes[i] };
                _cleanup_(strv_clear) struct strv rules = STRV_INIT;

                strv_add(&project.allow, "api.example.org");
                egress_rules(&project, &(struct strv)STRV_INIT, &rules);
                assert_int_equal(rules.count, 0);
                strv_clear(&project.allow);
        }
}

static void each_repo_that_is_reached_by_ssh_stands_for_its_host(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(repos); i++) {
                struct project_repo repo = { .url = (char *)repos[i].url };
                struct project project = { .repos = &repo, .repo_count = 1 };
                _cleanup_(strv_clear) struct strv hosts = STRV_INIT;

                print_message("%s\n", repos[i].url);
                strv_add(&project.key_hosts, "@git");
                key_hosts_expand(&project, &hosts);
                /* If no host is left, none is allowed. */
                assert_int_equal(hosts.count, 1);
                assert_string_equal(hosts.items[0], repos[i].host ? repos[i].host : KEY_HOSTS_NONE);
                strv_clear(&project.key_hosts);
        }
}

static void a_keys_host_has_its_port_as_known_hosts_writes_it(void **state)
{
        static const struct {
                const char *text, *name; /* NULL = refused */
        } cases[] = {
                { "example.org", "example.org" },
                { "example.org:22", "example.org" },
                { "example.org:2222", "[example.org]:2222" },
                { "10.1.2.3", "10.1.2.3" },
                { "", NULL },
                { "example.org:", NULL },
                { "example.org:0", NULL },
                { "example.org:65536", NULL },
                { "-oProxyCommand=x", NULL },
                { "*.example.org", NULL },
                { "jane@example.org", NULL },
                { "@all", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(error_freep) struct error *error = NULL;
                _cleanup_(strv_clear) struct strv hosts = STRV_INIT;
                struct project project = { 0 };

                print_message("%s\n", cases[i].text);
                assert_int_equal(key_hosts_check(cases[i].text, &error), cases[i].name ? 0 : -1);
                if (!cases[i].name)
                        continue;
                strv_add(&project.key_hosts, cases[i].text);
                key_hosts_expand(&project, &hosts);
                assert_int_equal(hosts.count, 1);
                assert_string_equal(hosts.items[0], cases[i].name);
                strv_clear(&project.key_hosts);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_repo_stands_for_its_host_and_port),
                cmocka_unit_test(a_client_stands_for_what_the_guest_said_of_it),
                cmocka_unit_test(what_stands_for_rules_is_known),
                cmocka_unit_test(there_are_none_unless_they_count),
                cmocka_unit_test(each_repo_that_is_reached_by_ssh_stands_for_its_host),
                cmocka_unit_test(a_keys_host_has_its_port_as_known_hosts_writes_it),
        };

        return cmocka_run_group_tests_name("config/egress", tests, NULL, NULL);
}
