/* What `limactl list` says about one instance: lines of JSON, some with little in them. Nothing is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lima/listing.h"

static int parse(const char *text, struct listing *out, struct error **err)
{
        return listing_parse(text, strlen(text), "blog", out, err);
}

static void an_instance_is_found_among_lines_of_others(void **state)
{
        _cleanup_(listing_clear) struct listing listing = LISTING_INIT;

        assert_int_equal(parse("{\"name\": \"shop\", \"status\": \"Running\", \"hostAgentPID\": 7}\n"
                               "{\"name\": \"blog\", \"status\": \"Running\", \"hostAgentPID\": 8, \"driverPID\": 9, "
                               "\"sshLocalPort\": 40001, \"message\": \"machine x\", \"protected\": true, \"config\": {}}\n",
                               &listing, NULL),
                         1);
        assert_string_equal(listing.status, "Running");
        assert_string_equal(listing.message, "machine x");
        assert_int_equal(listing.agent, 8);
        assert_int_equal(listing.driver, 9);
        assert_int_equal(listing.ssh_port, 40001);
        assert_true(listing.is_protected);
        assert_non_null(listing.config);
}

static void what_is_not_among_them_is_not_there(void **state)
{
        _cleanup_(listing_clear) struct listing listing = LISTING_INIT;

        assert_int_equal(parse("", &listing, NULL), 0);
        assert_int_equal(parse("\n\n", &listing, NULL), 0);
        assert_int_equal(parse("{\"name\": \"blog2\", \"status\": \"Stopped\"}\n", &listing, NULL), 0);
        assert_null(listing.status);
}

static void an_empty_status_and_left_out_members_are_no_mistake(void **state)
{
        _cleanup_(listing_clear) struct listing listing = LISTING_INIT;

        assert_int_equal(parse("{\"name\":\"blog\",\"status\":\"\",\"errors\":[],\"protected\":false}", &listing, NULL), 1);
        assert_string_equal(listing.status, "");
        assert_null(listing.message);
        assert_null(listing.config);
        assert_int_equal(listing.agent, 0);
        assert_int_equal(listing.driver, 0);
        assert_int_equal(listing.ssh_port, 0);
        assert_false(listing.is_protected);
}

static void errors_that_are_objects_are_read_over(void **state)
{
        _cleanup_(listing_clear) struct listing listing = LISTING_INIT;

        assert_int_equal(parse("{\"name\":\"blog\",\"status\":\"Broken\",\"errors\":[{\"Op\":\"open\",\"Err\":2}]}\n", &listing,
                               NULL),
                         1);
        assert_string_equal(listing.status, "Broken");
}

static void assert_no_listing(const char *text)
{
        _cleanup_(listing_clear) struct listing listing = LISTING_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(parse(text, &listing, &err), -1);
        assert_non_null(err);
        assert_null(listing.status);
}

static void what_is_no_such_list_is_an_error_and_not_an_absence(void **state)
{
        assert_no_listing("[{\"name\": \"blog\", \"status\": \"Stopped\"}]\n");
        assert_no_listing("{\"name\": \"blog\", \"status\"");
        assert_no_listing("blog Stopped\n");
        assert_no_listing("{\"status\": \"Stopped\"}\n");
        assert_no_listing("{\"name\": \"blog\"}\n");
        assert_no_listing("{\"name\": \"blog\", \"status\": 1}\n");
        assert_no_listing("{\"name\": \"shop\"\n{\"name\": \"blog\", \"status\": \"Stopped\"}\n");
}

static void numbers_out_of_range_are_no_pids_and_no_ports(void **state)
{
        assert_no_listing("{\"name\": \"blog\", \"status\": \"Running\", \"hostAgentPID\": -1}\n");
        assert_no_listing("{\"name\": \"blog\", \"status\": \"Running\", \"driverPID\": 4294967297}\n");
        assert_no_listing("{\"name\": \"blog\", \"status\": \"Running\", \"sshLocalPort\": 65536}\n");
        assert_no_listing("{\"name\": \"blog\", \"status\": \"Running\", \"driverPID\": \"9\"}\n");
}

static void a_failure_leaves_what_was_there(void **state)
{
        _cleanup_(listing_clear) struct listing listing = LISTING_INIT;

        assert_int_equal(parse("{\"name\": \"blog\", \"status\": \"Stopped\"}\n", &listing, NULL), 1);
        assert_int_equal(parse("{\"name\": \"blog\"}\n", &listing, NULL), -1);
        assert_string_equal(listing.status, "Stopped");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_instance_is_found_among_lines_of_others),
                cmocka_unit_test(what_is_not_among_them_is_not_there),
                cmocka_unit_test(an_empty_status_and_left_out_members_are_no_mistake),
                cmocka_unit_test(errors_that_are_objects_are_read_over),
                cmocka_unit_test(what_is_no_such_list_is_an_error_and_not_an_absence),
                cmocka_unit_test(numbers_out_of_range_are_no_pids_and_no_ports),
                cmocka_unit_test(a_failure_leaves_what_was_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
