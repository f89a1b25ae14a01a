/* A slow wait goes on, a dead one ends, and one that turns in a circle ends too. */
#include "scratch.h"

#include <unistd.h>

#include "vm/progress.h"

#define QUIET 60000
#define WHOLE 600000

/* Looks every five seconds from `from` on for `ms`, at a process that does so much in that time. Returns when it was over, or
 * -1. */
static int64_t wait_through(struct progress *progress, int64_t from, int64_t ms, int64_t busy_percent, int64_t bytes,
                            bool stopped)
{
        for (int64_t now = from + 5000; now <= from + ms; now += 5000) {
                struct os_process_work work = progress->work;

                work.busy_ms += 5000 * busy_percent / 100;
                work.disk_bytes += bytes;
                work.stopped = stopped;
                progress_weigh(progress, &work, now);
                if (progress_is_over(progress, now))
                        return now;
        }
        return -1;
}

static void a_guest_that_does_nothing_is_given_up(void **state)
{
        struct progress progress;

        progress_begin(&progress, QUIET, WHOLE, 1000);
        assert_int_equal(wait_through(&progress, 1000, WHOLE, 3, 0, false), 1000 + QUIET);
        _cleanup_(freep) char *text = progress_text(&progress, 1000 + QUIET);

        assert_string_equal(text, "after 60 s, the last 60 s of them without any sign of life");
}

static void a_guest_that_works_is_waited_for(void **state)
{
        static const struct {
                int64_t busy_percent, bytes;
                bool stopped;
        } signs[] = {
                { 100, 0, false },     /* it runs, or wants to */
                { 400, 0, false },     /* on several processors */
                { 20, 0, false },      /* the host lets it run a little */
                { 0, 1 << 20, false }, /* its disk is slow */
                { 0, 0, true },        /* somebody stopped its process */
        };

        for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
                struct progress progress;
                int64_t over;

                progress_begin(&progress, QUIET, WHOLE, 1000);
                over = wait_through(&progress, 1000, 5L * QUIET, signs[i].busy_percent, signs[i].bytes, signs[i].stopped);
                assert_int_equal(over, -1);
                /* Then it falls silent. */
                over = wait_through(&progress, 1000 + 5L * QUIET, WHOLE, 0, 0, false);
                assert_int_equal(over, 1000 + 6L * QUIET);
        }
}

static void what_the_guest_says_counts(void **state)
{
        struct progress progress;

        progress_begin(&progress, QUIET, WHOLE, 0);
        assert_false(progress_is_over(&progress, QUIET - 1));
        progress_moved(&progress, QUIET - 1);
        assert_false(progress_is_over(&progress, 2L * QUIET - 2));
        assert_true(progress_is_over(&progress, 2L * QUIET - 1));
}

static void a_circle_ends(void **state)
{
        struct progress progress;

        progress_begin(&progress, QUIET, WHOLE, 0);
        assert_int_equal(wait_through(&progress, 0, 2L * WHOLE, 100, 1 << 20, false), WHOLE);
        _cleanup_(freep) char *text = progress_text(&progress, WHOLE);

        assert_string_equal(text, "after 600 s");
}

static void our_own_work_is_seen(void **state)
{
        struct os_process_work before;
        struct os_process_work after;
        volatile unsigned spin = 0;

        assert_int_equal(os_process_work(getpid(), &before), 0);
        assert_false(before.stopped);
        do {
                for (unsigned i = 0; i < 10000000; i++)
                        spin = spin + i;
                assert_int_equal(os_process_work(getpid(), &after), 0);
        } while (after.busy_ms < before.busy_ms + 50);
        assert_int_equal(os_process_work(0x3fffffff, &after), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_guest_that_does_nothing_is_given_up),
                cmocka_unit_test(a_guest_that_works_is_waited_for),
                cmocka_unit_test(what_the_guest_says_counts),
                cmocka_unit_test(a_circle_ends),
                cmocka_unit_test(our_own_work_is_seen),
        };

        return cmocka_run_group_tests_name("vm/progress", tests, NULL, NULL);
}
