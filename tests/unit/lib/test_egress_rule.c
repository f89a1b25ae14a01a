/* Rules about what a guest may reach: which texts are rules, and what they are about. */
#include "check.h"

#include <arpa/inet.h>

#include "lib/egress-rule.h"

static const struct {
        const char *text;
        const char *why; /* why it is not a rule; NULL = it is one */
} cases[] = {
        { "api.example.org", NULL },
        { "API.Example.org.", NULL },
        { "localhost", NULL },
        { "*.example.org", NULL },
        { "example.org:22", NULL },
        { "*.example.org:8443", NULL },
        { "_dmarc.example-1.org", NULL },
        { "10.1.2.3", NULL },
        { "10.1.2.3:53", NULL },
        { "10.1.2.0/24", NULL },
        { "10.1.2.3/32:5432", NULL },
        { "0.0.0.0/0", NULL },
        { "", "a name has letters" },
        { "*", "stands for all names below" },
        { "*.*.org", "stands for all names below" },
        { "a*.example.org", "stands for all names below" },
        { "example..org", "a name has letters" },
        { ".example.org", "a name has letters" },
        { "exa mple.org", "not a URL" },
        { "https://example.org/", "not a URL" },
        { "example.org/path", "first address of a network" },
        { "example.org:", "a port, 1 to 65535" },
        { "example.org:0", "a port, 1 to 65535" },
        { "example.org:65536", "a port, 1 to 65535" },
        { "example.org:https", "a port, 1 to 65535" },
        { "10.1.2.3/24", "first address of a network" },
        { "10.1.2.0/33", "first address of a network" },
        { "10.1.2.256", "neither a name nor an IPv4 address" },
        { "10.1.2", "neither a name nor an IPv4 address" },
        { "[2001:db8::1]:443", "a name has letters" },
        { "ex\u00e4mple.org", "a name has letters" },
        { "example.org\n", "a name has letters" },
};

static void each_is_a_rule_or_says_why_not(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(error_freep) struct error *err = NULL;
                struct egress_rule rule;
                int status = egress_rule_parse(cases[i].text, &rule, &err);

                print_message("%s\n", cases[i].text);
                assert_int_equal(status, cases[i].why ? -1 : 0);
                if (cases[i].why)
                        assert_non_null(strstr(err->message, cases[i].why));
        }
}

static void a_name_is_itself_and_a_star_is_what_lies_below(void **state)
{
        struct egress_rule one, below;

        assert_int_equal(egress_rule_parse("Example.org", &one, NULL), 0);
        assert_int_equal(egress_rule_parse("*.Example.org:22", &below, NULL), 0);
        assert_int_equal(below.port, 22);
        assert_true(egress_rule_names(&one, "example.org"));
        assert_false(egress_rule_names(&one, "a.example.org"));
        assert_false(egress_rule_names(&below, "example.org"));
        assert_true(egress_rule_names(&below, "a.example.org"));
        assert_true(egress_rule_names(&below, "b.a.example.org"));
        assert_false(egress_rule_names(&below, "xexample.org"));
        assert_false(egress_rule_names(&below, ".example.org"));
        assert_false(egress_rule_holds(&one, (struct in_addr){ 0 }));
}

static void a_network_holds_its_addresses_and_no_name(void **state)
{
        struct egress_rule rule;

        assert_int_equal(egress_rule_parse("10.1.2.0/23", &rule, NULL), 0);
        assert_true(egress_rule_holds(&rule, (struct in_addr){ inet_addr("10.1.3.255") }));
        assert_false(egress_rule_holds(&rule, (struct in_addr){ inet_addr("10.1.4.0") }));
        assert_false(egress_rule_names(&rule, ""));
        assert_int_equal(egress_rule_parse("0.0.0.0/0", &rule, NULL), 0);
        assert_true(egress_rule_holds(&rule, (struct in_addr){ inet_addr("203.0.113.9") }));
}

static void a_name_that_is_none_is_empty(void **state)
{
        char name[EGRESS_NAME_MOST + 1] = "before";
        char longest[300];

        memset(longest, 'a', sizeof(longest));
        assert_true(egress_name("A.b-C_1.", 8, name));
        assert_string_equal(name, "a.b-c_1");
        assert_true(egress_name(longest, EGRESS_NAME_MOST, name));
        assert_int_equal(strlen(name), EGRESS_NAME_MOST);
        assert_false(egress_name(longest, EGRESS_NAME_MOST + 1, name));
        assert_string_equal(name, "");
        assert_false(egress_name("a\0b", 3, name));
        assert_string_equal(name, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_is_a_rule_or_says_why_not),
                cmocka_unit_test(a_name_is_itself_and_a_star_is_what_lies_below),
                cmocka_unit_test(a_network_holds_its_addresses_and_no_name),
                cmocka_unit_test(a_name_that_is_none_is_empty),
        };

        return cmocka_run_group_tests_name("lib/egress-rule", tests, NULL, NULL);
}
