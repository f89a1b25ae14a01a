/* The guest's report must be complete and well-formed, or it is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audit/probe.h"
#include "lib/strbuf.h"

#define GOOD                                                                                                                   \
        "mount\text4\t/dev/vda\t/\n"                                                                                           \
        "gateway\t10.0.2.2\n"                                                                                                  \
        "neighbour\t10.0.2.3\n"                                                                                                \
        "connect\t10.0.2.2\t4000\trefused\n"                                                                                   \
        "agent\t/tmp/ssh-x/agent.1\t3\n"                                                                                       \
        "lent\tAAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n"                                         \
        "hidden\trefused\n"                                                                                                    \
        "stranger\tsigned\n"

static int parse(const char *report, struct probe *probe, struct error **err)
{
        return probe_parse(report, strlen(report), probe, err);
}

static void a_whole_report_is_read(void **state)
{
        _cleanup_(probe_clear) struct probe probe = PROBE_INIT;

        assert_int_equal(parse(GOOD "end\n", &probe, NULL), 0);
        assert_int_equal(probe.mount_count, 1);
        assert_string_equal(probe.mounts[0].point, "/");
        assert_string_equal(probe.gateways.items[0], "10.0.2.2");
        assert_string_equal(probe.neighbours.items[0], "10.0.2.3");
        assert_int_equal(probe.connects[0].port, 4000);
        assert_int_equal(probe.connects[0].result, PROBE_REFUSED);
        assert_int_equal(probe.agents[0].keys, 3);
        /* GitHub's key, as GitHub publishes its fingerprint. */
        assert_string_equal(probe.lent.items[0], "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
        assert_int_equal(probe.hidden, PROBE_NOT_SIGNED);
        assert_int_equal(probe.stranger, PROBE_SIGNED);
}

static void anything_else_is_an_error(void **state)
{
        static const char *const reports[] = {
                "",
                "end",
                GOOD,
                GOOD "end\nmount\ta\tb\tc\n",
                GOOD "end\t\n",
                "mount\text4\t/dev/vda\nend\n",
                "mount\ta\tb\tc\td\te\tf\nend\n",
                "unheard-of\tx\nend\n",
                "connect\t10.0.2.2\t0\trefused\nend\n",
                "connect\t10.0.2.2\t65536\trefused\nend\n",
                "connect\t10.0.2.2\t80\tperhaps\nend\n",
                "agent\t/tmp/x\t-1\nend\n",
                "lent\tno base64!\nend\n",
                "hidden\tperhaps\nend\n",
                "stranger\t\nend\n",
                "\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
                _cleanup_(probe_clear) struct probe probe = PROBE_INIT;
                _cleanup_(error_freep) struct error *error = NULL;

                assert_int_equal(parse(reports[i], &probe, &error), -1);
                assert_int_equal(error->kind, ERROR_STEP);
                assert_true(streq(error->message, "the guest's report is incomplete") ||
                            ends_with(error->message, "not well-formed"));
        }
}

static void what_drives_a_terminal_is_made_visible(void **state)
{
        _cleanup_(probe_clear) struct probe probe = PROBE_INIT;

        assert_int_equal(parse("mount\t9p\tx\t/mnt/\033[2J\nend\n", &probe, NULL), 0);
        assert_string_equal(probe.mounts[0].point, "/mnt/\\x1b[2J");
}

static void a_report_without_end_is_given_up(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf report = STRBUF_INIT;
        _cleanup_(probe_clear) struct probe probe = PROBE_INIT;

        for (int i = 0; i < 20001; i++)
                strbuf_adds(&report, "gateway\t10.0.2.2\n");
        strbuf_adds(&report, "end\n");
        assert_int_equal(probe_parse(report.buf, report.len, &probe, NULL), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_whole_report_is_read),
                cmocka_unit_test(anything_else_is_an_error),
                cmocka_unit_test(what_drives_a_terminal_is_made_visible),
                cmocka_unit_test(a_report_without_end_is_given_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
