/* The guest's report about its repos, from honest and hostile guests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/work.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

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
                assert_int_equal(_work.count, 0);                                                                              \
        } while (0)

static void repos_without_work_give_no_text(void **state)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(PARSE("repo blog\0repo api\0end\0", &work, &error), 0);
        assert_int_equal(work.count, 2);
        assert_null(work_text(&work));
}

static void each_kind_of_work_is_named(void **state)
{
        assert_text("repo blog\0changed 2\0untracked 1\0stash 2\0branch 3 " A " x\0end\0",
                    "blog: 2 uncommitted files, 1 untracked file, branch 'x' has 3 unpushed commits, 2 stashes");
        assert_text("repo api\0branch 1 " C " HEAD\0submodule 2 lib/z\0end\0",
                    "api: the detached HEAD has 1 unpushed commit, submodule 'lib/z' has 2 unpushed commits");
        assert_text("repo notes\0files 1\0repo big\0files 1000\0end\0",
                    "notes: not a git repository, 1 file\nbig: not a git repository, 1000 files or more");
        assert_text("repo blog\0worktree /home/me/wt\0changed 1\0end\0",
                    "blog: in the work tree '/home/me/wt': 1 uncommitted file");
        assert_text("repo blog\0unreadable fatal: bad object HEAD\0end\0",
                    "blog: git could not read it: fatal: bad object HEAD");
}

static void what_the_guest_names_cannot_drive_the_terminal(void **state)
{
        assert_text("repo a\nb: safe\0changed 1\0end\0", "a\\x0ab: safe: 1 uncommitted file");
        assert_text("repo a\0branch 1 " A " \033]0;title\007\0end\0", "a: branch '\\x1b]0;title\\x07' has 1 unpushed commit");
}

static void a_report_that_is_not_whole_is_an_error(void **state)
{
        assert_refused("");
        assert_refused("repo blog\0");
        assert_refused("repo blog\0changed 2\0en");
        assert_refused("repo blog\0end");
}

static void a_report_that_makes_no_sense_is_an_error(void **state)
{
        assert_refused("changed 2\0end\0");
        assert_refused("commit " A "\0end\0");
        assert_refused("repo \0end\0");
        assert_refused("repo a\0changed -1\0end\0");
        assert_refused("repo a\0changed 99999999999999999999\0end\0");
        assert_refused("repo a\0branch 1 --upload-pack=x main\0end\0");
        assert_refused("repo a\0branch 1 " A "\0end\0");
        assert_refused("repo a\0branch 1 " A " x\0commit " A "\0commit " B "\0end\0");
        assert_refused("repo a\0branch 1 " A " x\0commit -x\0end\0");
        assert_refused("repo a\0surprise\0end\0");
        assert_refused("end\0repo a\0");
        assert_refused("repo a\0end\0end\0");
}

static void a_record_without_bound_is_an_error(void **state)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strbuf_clear) struct strbuf report = STRBUF_INIT;

        strbuf_adds(&report, "repo ");
        for (int i = 0; i < 100000; i++)
                strbuf_addc(&report, 'x');
        strbuf_add(&report, "\0end\0", 5);
        assert_int_equal(work_parse(report.buf, report.len, &work, &error), -1);
        strbuf_reset(&report);
        for (int i = 0; i < 50000; i++)
                strbuf_add(&report, "repo a\0", 7);
        strbuf_add(&report, "end\0", 4);
        assert_int_equal(work_parse(report.buf, report.len, &work, &error), -1);
}

static void commits_that_the_host_has_do_not_count(void **state)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strv_clear) struct strv commits = STRV_INIT, safe = STRV_INIT;
        _cleanup_(freep) char *before = NULL, *after = NULL;

        assert_int_equal(PARSE("repo blog\0branch 5 " A " x\0commit " A "\0commit " B "\0branch 9 " B " y\0commit " B "\0end\0",
                               &work, &error),
                         0);
        work_commits(&work, &commits);
        assert_int_equal(commits.count, 2);
        before = work_text(&work);
        assert_string_equal(before, "blog: branch 'x' has 5 unpushed commits, branch 'y' has 9 unpushed commits");
        strv_add(&safe, B);
        work_forgive(&work, &safe);
        after = work_text(&work);
        /* y's tip is safe, and so are all commits before it, listed or not. Of x, one commit is safe. */
        assert_string_equal(after, "blog: branch 'x' has 4 unpushed commits");
}

static void a_tip_that_the_host_lacks_always_counts(void **state)
{
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strv_clear) struct strv safe = STRV_INIT;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(PARSE("repo blog\0branch 1 " A " x\0commit " B "\0end\0", &work, &error), 0);
        strv_add(&safe, B);
        work_forgive(&work, &safe);
        text = work_text(&work);
        assert_string_equal(text, "blog: branch 'x' has 1 unpushed commit");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(repos_without_work_give_no_text),
                cmocka_unit_test(each_kind_of_work_is_named),
                cmocka_unit_test(what_the_guest_names_cannot_drive_the_terminal),
                cmocka_unit_test(a_report_that_is_not_whole_is_an_error),
                cmocka_unit_test(a_report_that_makes_no_sense_is_an_error),
                cmocka_unit_test(a_record_without_bound_is_an_error),
                cmocka_unit_test(commits_that_the_host_has_do_not_count),
                cmocka_unit_test(a_tip_that_the_host_lacks_always_counts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
