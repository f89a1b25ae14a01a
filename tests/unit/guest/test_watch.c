/* What a guest says about its programs: records, whole or in pieces, and anything else that a hostile guest writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/watch.h"

static void tell(struct watch *watch, const char *text)
{
        watch_add(watch, text, strlen(text));
}

static char *programs_of(const struct watch *watch, const char *name, const char *address, int64_t port)
{
        _cleanup_(strv_clear) struct strv programs = STRV_INIT;

        watch_programs(watch, name, address, port, &programs);
        return strv_join(&programs, ", ");
}

static void records_come_in_pieces(void **state)
{
        _cleanup_(watch_clear) struct watch watch = WATCH_INIT;
        _cleanup_(freep) char *by_name = NULL;
        _cleanup_(freep) char *by_address = NULL;
        _cleanup_(freep) char *by_both = NULL;
        _cleanup_(freep) char *nobody = NULL;

        tell(&watch, "rea");
        assert_false(watch.ready);
        tell(&watch, "dy\nname\tnpm\tregistry.exam");
        assert_true(watch.ready);
        tell(&watch, "ple.org\nname\tcurl\tRegistry.Example.Org\nconnect\tgit\t10.1.2.3:22\nname\tnpm\tregistry.example.org\n");
        by_name = programs_of(&watch, "registry.example.org", NULL, 443);
        assert_string_equal(by_name, "npm, curl");
        by_address = programs_of(&watch, NULL, "10.1.2.3", 22);
        assert_string_equal(by_address, "git");
        by_both = programs_of(&watch, "registry.example.org", "10.1.2.3", 22);
        assert_string_equal(by_both, "npm, curl, git");
        nobody = programs_of(&watch, "example.org", "10.1.2.3", 23);
        assert_string_equal(nobody, "");
}

static void what_it_cannot_tell_is_kept_once(void **state)
{
        _cleanup_(watch_clear) struct watch watch = WATCH_INIT;

        tell(&watch, "partly\tnames\npartly\tmore\nfailed\tno tracing\nfailed\tno more\n");
        assert_string_equal(watch.missing, "names");
        assert_string_equal(watch.failure, "no tracing");
        assert_false(watch.ready);
}

static void nothing_of_it_moves_a_terminal_or_becomes_a_line(void **state)
{
        static const char escape[] = "name\tc\033[2Jurl\ta.example.org\nfailed\t\033]0;x\007\n";
        _cleanup_(watch_clear) struct watch watch = WATCH_INIT;
        _cleanup_(freep) char *programs = NULL;

        watch_add(&watch, escape, sizeof(escape) - 1);
        programs = programs_of(&watch, "a.example.org", NULL, 0);
        assert_string_equal(programs, "c\\x1b[2Jurl");
        assert_null(strchr(watch.failure, '\033'));
}

static void what_is_no_record_is_passed_over(void **state)
{
        static const char cut[] = "name\tcurl\0\ta.example.org\n\0\n\n\t\t\n";
        static const char *const wrong[] = { "name\n",
                                             "name\tcurl\n",
                                             "connect\tcurl\n",
                                             "partly\n",
                                             "failed\n",
                                             "ready now\n",
                                             "names\tcurl\ta.example.org\n" };
        _cleanup_(watch_clear) struct watch watch = WATCH_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                tell(&watch, wrong[i]);
        watch_add(&watch, cut, sizeof(cut) - 1);
        assert_int_equal(watch.count, 0);
        assert_false(watch.ready);
        assert_null(watch.missing);
        assert_null(watch.failure);
}

static void there_is_an_end_to_it(void **state)
{
        _cleanup_(watch_clear) struct watch watch = WATCH_INIT;

        for (int i = 0; i < 3000; i++) {
                _cleanup_(freep) char *line = xasprintf("name\tcurl\thost%d.example.org\n", i);

                tell(&watch, line);
        }
        assert_int_equal(watch.count, 2000);
        tell(&watch, "name\t");
        for (int i = 0; i < 3000; i++)
                tell(&watch, "x");
        assert_true(watch.line.len <= 1024);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(records_come_in_pieces),
                cmocka_unit_test(what_it_cannot_tell_is_kept_once),
                cmocka_unit_test(nothing_of_it_moves_a_terminal_or_becomes_a_line),
                cmocka_unit_test(what_is_no_record_is_passed_over),
                cmocka_unit_test(there_is_an_end_to_it),
        };

        return cmocka_run_group_tests_name("guest/watch", tests, NULL, NULL);
}
