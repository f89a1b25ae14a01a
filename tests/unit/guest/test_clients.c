/* What a guest says about its package clients is accepted only if it is rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/clients.h"
#include "lib/strbuf.h"

static void each_line_is_a_rule_once(void **state)
{
        _cleanup_(strv_clear) struct strv clients = STRV_INIT;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(clients_read("@npm two.example.org\n@apt 10.1.2.3:8080\n", &clients, NULL), 0);
        assert_int_equal(clients_read("@npm one.example.org:8443\n@npm two.example.org", &clients, NULL), 0);
        text = strv_join(&clients, ", ");
        assert_string_equal(text, "@apt 10.1.2.3:8080, @npm one.example.org:8443, @npm two.example.org");
        assert_int_equal(clients_read("", &clients, NULL), 0);
        assert_int_equal(clients.count, 3);
}

static void what_is_no_rule_of_one_host_is_refused(void **state)
{
        static const char *const wrong[] = { "@npm *.example.org",
                                             "@npm *",
                                             "@npm @git",
                                             "@npm ",
                                             "@npm",
                                             "@git example.org",
                                             "@yarn example.org",
                                             "example.org",
                                             "@npm a.example.org b",
                                             "\n",
                                             "@npm \033[2Jexample",
                                             "@pip https://x.org/" };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                _cleanup_(strv_clear) struct strv clients = STRV_INIT;
                _cleanup_(error_freep) struct error *error = NULL;
                _cleanup_(freep) char *text = NULL;

                print_message("%zu\n", i);
                assert_int_equal(clients_read(wrong[i], &clients, &error), -1);
                assert_int_equal(error->kind, ERROR_STEP);
                text = error_text(error);
                assert_null(strchr(text, '\033'));
        }
}

static void there_is_an_end_to_them(void **state)
{
        _cleanup_(strv_clear) struct strv clients = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        for (int i = 0; i < 64; i++)
                strbuf_addf(&text, "@npm host%d.example.org\n", i);
        assert_int_equal(clients_read(text.buf, &clients, NULL), 0);
        assert_int_equal(clients_read(text.buf, &clients, NULL), 0);
        assert_int_equal(clients_read("@npm example.org", &clients, &error), -1);
        assert_int_equal(error->kind, ERROR_STEP);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_line_is_a_rule_once),
                cmocka_unit_test(what_is_no_rule_of_one_host_is_refused),
                cmocka_unit_test(there_is_an_end_to_them),
        };

        return cmocka_run_group_tests_name("guest/clients", tests, NULL, NULL);
}
