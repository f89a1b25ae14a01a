/* The guest's report about its repos, from honest and hostile guests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/work.h"

#define A    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ITEM "item repo 0 0 ~/code/blog\0"
#define C    "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* For a literal: with the NULs inside, but without the one that C adds at the end. */
#define PARSE(report, work, err) work_parse((report), sizeof(report) - 1, (work), (err))

#define assert_text(report, wanted)                                                                                            \
        do {                                                                                                                   \
                _cleanup_(work_clear) struct work _work = WORK_INIT;                                                           \
                _cleanup_(error_freep) struct error *_error = NULL;                                                            \
                _cleanup_(freep) char *_text = NULL;                                                                           \
                assert_int_equal(PARSE(report, &_work, &_error), 0);                                                           \
                _text = work_text(&_work);                                                                                     \
                assert_non_null(_text);                                                                                        \
                assert_string_equal(_text, wanted);                                                                            \
        } while (0)

#define assert_refused(report)                                                                                                 \
        do {                                                                                                                   \
                _cleanup_(work_clear) struct work _work = WORK_INIT;                                                           \
                _cleanup_(error_freep) struct error *_error = NULL;                                                            \
                assert_int_equal(PARSE(report, &_work, &_error), -1);                                                          \
                assert_int_equal(_error->kind, ERROR_STEP);                                                                    \
                assert_true(starts_with(_error->message, "the guest's report of its work makes no sense at '") ||              \
                            streq(_error->message, "the guest's report of its repos is incomplete"));                          \
                assert_int_equal(_work.count, 0);                                                                              \
        } while (0)

static void a_report_of_nothing_gives_no_text(void **state)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(PARSE("safe 100 ~/.cache\0end\0", &work, &error), 0);
        assert_false(work_any(&work));
        assert_null(work_text(&work));
}

static void each_kind_of_work_is_named(void **state)
{
        assert_text(ITEM "changed 2\0untracked 1\0stash 2\0ref 3 " A " refs/heads/x\0end\0",
                    "~/code/blog: 2 uncommitted files, 1 untracked file, branch 'x' has 3 unpushed commits, 2 stashes");
        assert_text(
                ITEM "ref 1 " C " HEAD\0ref 2 " A " refs/tags/v1\0object " B " refs/tags/v2\0ref 1 " A
                     " refs/notes/commits\0ref 1 " B " refs/own/r\0end\0",
                "~/code/blog: the detached HEAD has 1 unpushed commit, tag 'v1' has 2 unpushed commits, tag 'v2' is not pushed, "
                "notes 'commits' have 1 unpushed commit, ref 'refs/own/r' has 1 unpushed commit");
        assert_text(ITEM "hidden 1\0ignored .env\0doing a rebase is under way\0unreadable fatal: bad object HEAD\0end\0",
                    "~/code/blog: 1 uncommitted file that git overlooks, a rebase is under way, ignored: .env, "
                    "git could not read it: fatal: bad object HEAD");
        assert_text("item files 2048 0 ~/notes\0files 3\0unread find: '/x': Input/output error\0end\0",
                    "~/notes: 3 files (2.0 KiB)\ncould not be looked at: find: '/x': Input/output error");
}

static void the_latest_comes_first_and_then_the_largest(void **state)
{
        setenv("TZ", "UTC", 1);
        assert_text(
                "item files 1 60 ~/a\0files 1\0item files 9 120 ~/b\0files 1\0item files 10 120 ~/c\0files 1\0end\0",
                "~/c: 1 file (10 B, 1970-01-01 00:02)\n~/b: 1 file (9 B, 1970-01-01 00:02)\n~/a: 1 file (1 B, 1970-01-01 00:01)");
}

static void what_is_safe_to_lose_is_named_after_work_the_largest_first(void **state)
{
        assert_text("item files 0 0 ~/a\0files 1\0safe 1048576 ~/x\0safe 2097152 ~/y\0end\0",
                    "~/a: 1 file\nnot counted, because it can be made again: ~/y (2.0 MiB), ~/x (1.0 MiB)");
}

static void a_long_list_ends_with_how_many_more_there_are(void **state)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strbuf_clear) struct strbuf report = STRBUF_INIT;
        _cleanup_(freep) char *text = NULL;
        size_t lines = 1;

        for (int i = 0; i < 1000; i++) {
                strbuf_addf(&report, "item files 0 0 ~/%d", i);
                strbuf_add(&report, "\0files 1\0", 9);
        }
        strbuf_add(&report, "end\0", 4);
        assert_int_equal(work_parse(report.buf, report.len, &work, &error), 0);
        text = work_text(&work);
        for (const char *at = text; *at; at++)
                lines += *at == '\n';
        assert_int_equal(lines, 21);
        assert_non_null(strstr(text, "\nand 980 more"));
}

static void what_the_guest_names_cannot_drive_the_terminal(void **state)
{
        assert_text("item repo 0 0 ~/a\nb: safe\0changed 1\0end\0", "~/a\\x0ab: safe: 1 uncommitted file");
        assert_text("item repo 0 0 ~/a\0ref 1 " A " refs/heads/\033]0;title\007\0end\0",
                    "~/a: branch '\\x1b]0;title\\x07' has 1 unpushed commit");
        assert_text("item repo 0 0 ~/a\0ignored \033[2J\0end\0", "~/a: ignored: \\x1b[2J");
        assert_text("item files 0 0 ~/a\0files 1\0safe 1048576 /tmp/\033c\0end\0",
                    "~/a: 1 file\nnot counted, because it can be made again: /tmp/\\x1bc (1.0 MiB)");
}

static void a_report_that_is_not_whole_is_an_error(void **state)
{
        assert_refused("");
        assert_refused(ITEM);
        assert_refused(ITEM "changed 2\0en");
        assert_refused("item repo 0 0 blog\0end");
}

static void a_report_that_makes_no_sense_is_an_error(void **state)
{
        assert_refused("changed 2\0end\0");
        assert_refused("ignored x\0end\0");
        assert_refused("commit " A "\0end\0");
        assert_refused("item \0end\0");
        assert_refused("item repo 0 0 \0end\0");
        assert_refused("item repo 0 -1 a\0end\0");
        assert_refused("item repo 99999999999999999999 0 a\0end\0");
        assert_refused("item else 0 0 a\0end\0");
        assert_refused(ITEM "changed -1\0end\0");
        assert_refused(ITEM "changed 99999999999999999999\0end\0");
        assert_refused(ITEM "ref 1 --upload-pack=x main\0end\0");
        assert_refused(ITEM "ref 1 " A "\0end\0");
        assert_refused(ITEM "ref 1 " A " x\0commit " A "\0commit " B "\0end\0");
        assert_refused(ITEM "ref 1 " A " x\0commit -x\0end\0");
        assert_refused(ITEM "object " A " x\0commit " A "\0end\0");
        assert_refused(ITEM "surprise\0end\0");
        assert_refused("safe x y\0end\0");
        assert_refused("unpacking x\0end\0");
        assert_refused("end\0" ITEM);
        assert_refused(ITEM "end\0end\0");
}

static void a_record_without_bound_is_an_error(void **state)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strbuf_clear) struct strbuf report = STRBUF_INIT;

        strbuf_adds(&report, "item repo 0 0 ");
        for (int i = 0; i < 100000; i++)
                strbuf_addc(&report, 'x');
        strbuf_add(&report, "\0end\0", 5);
        assert_int_equal(work_parse(report.buf, report.len, &work, &error), -1);
        strbuf_reset(&report);
        for (int i = 0; i < 50000; i++)
                strbuf_add(&report, "item repo 0 0 a\0", 16);
        strbuf_add(&report, "end\0", 4);
        assert_int_equal(work_parse(report.buf, report.len, &work, &error), -1);
}

static void commits_that_the_host_has_do_not_count(void **state)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strv_clear) struct strv commits = STRV_INIT, safe = STRV_INIT;
        _cleanup_(freep) char *before = NULL, *after = NULL;

        assert_int_equal(PARSE(ITEM "ref 5 " A " refs/heads/x\0commit " A "\0commit " B "\0ref 9 " B " refs/heads/y\0commit " B
                                    "\0object " C " refs/tags/t\0item repo 0 0 b\0object " C " refs/tags/t\0end\0",
                               &work, &error),
                         0);
        work_commits(&work, &commits);
        assert_int_equal(commits.count, 3);
        before = work_text(&work);
        assert_string_equal(before,
                            "b: tag 't' is not pushed\n~/code/blog: branch 'x' has 5 unpushed commits, branch 'y' has 9 "
                            "unpushed commits, tag 't' is not pushed");
        strv_adds(&safe, B, C, NULL);
        work_forgive(&work, &safe);
        after = work_text(&work);
        /* y's tip is safe, and so are all commits before it, listed or not. Of x, one commit is safe. */
        assert_string_equal(after, "~/code/blog: branch 'x' has 4 unpushed commits");
}

static void a_tip_that_the_host_lacks_always_counts(void **state)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strv_clear) struct strv safe = STRV_INIT;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(PARSE(ITEM "ref 1 " A " refs/heads/x\0commit " B "\0object " C " refs/tags/t\0end\0", &work, &error),
                         0);
        strv_add(&safe, B);
        work_forgive(&work, &safe);
        text = work_text(&work);
        assert_string_equal(text, "~/code/blog: branch 'x' has 1 unpushed commit, tag 't' is not pushed");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_report_of_nothing_gives_no_text),
                cmocka_unit_test(each_kind_of_work_is_named),
                cmocka_unit_test(the_latest_comes_first_and_then_the_largest),
                cmocka_unit_test(what_is_safe_to_lose_is_named_after_work_the_largest_first),
                cmocka_unit_test(a_long_list_ends_with_how_many_more_there_are),
                cmocka_unit_test(what_the_guest_names_cannot_drive_the_terminal),
                cmocka_unit_test(a_report_that_is_not_whole_is_an_error),
                cmocka_unit_test(a_report_that_makes_no_sense_is_an_error),
                cmocka_unit_test(a_record_without_bound_is_an_error),
                cmocka_unit_test(commits_that_the_host_has_do_not_count),
                cmocka_unit_test(a_tip_that_the_host_lacks_always_counts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
