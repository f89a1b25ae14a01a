/* Commands in several guests at once: their logs, their ends, and what happens when nobody waits any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/job.h"
#include "lib/file.h"
#include "repos_test.h"

struct pair {
        struct job jobs[2];
        struct job *running[2];
        char *logs[2];
};

static void begin(struct fixture *fixture, struct pair *pair, size_t i, const char *script)
{
        const char *const args[] = { "first", "a second", NULL };
        _cleanup_(freep) char *name = xasprintf("log-%zu", i);
        _cleanup_(error_freep) struct error *error = NULL;

        pair->jobs[i] = (struct job)JOB_INIT;
        pair->running[i] = &pair->jobs[i];
        pair->logs[i] = path_join(fixture->folder, name);
        expect(job_begin(&pair->jobs[i], &fixture->vm, fixture->guest, script, args, pair->logs[i], &error), 0, &error);
}

static void wait_for_all(struct pair *pair)
{
        _cleanup_(error_freep) struct error *error = NULL;

        while (!pair->jobs[0].ended || !pair->jobs[1].ended)
                expect(jobs_wait(pair->running, 2, &error), 0, &error);
}

static void pair_clear(struct pair *pair)
{
        for (size_t i = 0; i < 2; i++) {
                job_clear(&pair->jobs[i]);
                free(pair->logs[i]);
        }
}

static void expect_log(const struct pair *pair, size_t i, const char *wanted)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        assert_int_equal(file_read(pair->logs[i], 1 << 20, &text, NULL), 0);
        assert_string_equal(text.len > 0 ? text.buf : "", wanted);
}

/* Each waits for what the other one writes, so they run at the same time. */
static void two_run_at_once_and_each_has_its_log_and_status(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(pair_clear) struct pair pair;

        begin(fixture, &pair, 0, "echo one; touch first; until [ -e second ]; do sleep 0.1; done; exit 3");
        begin(fixture, &pair, 1, "touch second; until [ -e first ]; do sleep 0.1; done; echo two");
        wait_for_all(&pair);
        assert_int_equal(pair.jobs[0].status, 3);
        assert_int_equal(pair.jobs[1].status, 0);
        assert_false(pair.jobs[0].unreached);
        assert_true(pair.jobs[0].took_ms >= 0);
        expect_log(&pair, 0, "one\n");
        expect_log(&pair, 1, "two\n");
}

/* Through ssh, the two outputs come in any order. */
static void both_outputs_are_kept(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(pair_clear) struct pair pair;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        begin(fixture, &pair, 0, "printf 'out without an end'; echo err >&2");
        begin(fixture, &pair, 1, "echo only err >&2; exit 255");
        wait_for_all(&pair);
        assert_int_equal(file_read(pair.logs[0], 1 << 20, &text, NULL), 0);
        assert_non_null(strstr(text.buf, "out without an end"));
        assert_non_null(strstr(text.buf, "err\n"));
        assert_int_equal(text.len, strlen("out without an enderr\n"));
        expect_log(&pair, 1, "only err\n");
        assert_true(pair.jobs[1].status == 255 && !pair.jobs[1].unreached);
}

static void more_output_than_a_pipe_holds_is_kept(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(pair_clear) struct pair pair;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        begin(fixture, &pair, 0, "head -c 3000000 /dev/zero | tr '\\0' x");
        begin(fixture, &pair, 1, "cat; echo \"$2, no input\"");
        wait_for_all(&pair);
        assert_int_equal(file_read(pair.logs[0], 4 << 20, &text, NULL), 0);
        assert_int_equal(text.len, 3000000);
        expect_log(&pair, 1, "a second, no input\n");
}

static void what_is_given_up_ends_in_the_guest(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(pair_clear) struct pair pair;

        begin(fixture, &pair, 0, "trap 'touch hung-up; exit' HUP; touch begun; while :; do sleep 0.1; done");
        begin(fixture, &pair, 1, "until [ -e begun ]; do sleep 0.1; done");
        while (!pair.jobs[1].ended)
                assert_int_equal(jobs_wait(pair.running, 2, NULL), 0);
        job_clear(&pair.jobs[0]);
        fixture_do(fixture, "guest", "for i in $(seq 300); do [ ! -e hung-up ] || exit 0; sleep 0.1; done; exit 1");
}

static void a_folder_that_is_not_there_is_said(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(pair_clear) struct pair pair;
        _cleanup_(freep) char *guest = xstrdup(fixture->guest);

        set_string(&fixture->guest, path_join(guest, "nowhere"));
        begin(fixture, &pair, 0, "true");
        begin(fixture, &pair, 1, "true");
        set_string(&fixture->guest, xstrdup(guest));
        wait_for_all(&pair);
        assert_true(pair.jobs[0].unreached && pair.jobs[1].unreached);
        assert_int_not_equal(pair.jobs[0].status, 0);
        expect_log(&pair, 1, "the folder is not there\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_FIXTURE(two_run_at_once_and_each_has_its_log_and_status),
                WITH_FIXTURE(both_outputs_are_kept),
                WITH_FIXTURE(more_output_than_a_pipe_holds_is_kept),
                WITH_FIXTURE(what_is_given_up_ends_in_the_guest),
                WITH_FIXTURE(a_folder_that_is_not_there_is_said),
        };

        const char *missing = fixture_missing();

        if (missing) {
                fprintf(stderr, "skipped: there is no %s here\n", missing);
                return 77;
        }
        return cmocka_run_group_tests_name("guest/job", tests, NULL, NULL);
}
