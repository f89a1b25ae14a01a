/* The poll loop: what is called, when, and what a callback may do. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/loop.h"
#include "lib/os.h"

/* Shared by a test's functions. */
struct scene {
        struct loop *loop;
        int ends[2];
        struct loop_source *source, *other;
        struct strbuf heard; /* one letter for each call */
        int calls;
};

static int setup(void **state)
{
        struct scene *scene = xcalloc(1, sizeof(*scene));

        scene->loop = loop_new();
        scene->heard = (struct strbuf)STRBUF_INIT;
        *state = scene;
        return os_pipe(scene->ends);
}

static int teardown(void **state)
{
        struct scene *scene = *state;

        loop_free(scene->loop);
        strbuf_clear(&scene->heard);
        closep(&scene->ends[0]);
        closep(&scene->ends[1]);
        free(scene);
        return 0;
}

static void hear_fd(struct loop *loop, int fd, short revents, void *data)
{
        struct scene *scene = data;

        strbuf_adds(&scene->heard, revents & POLLIN ? "r" : revents & POLLOUT ? "w" : "");
        strbuf_adds(&scene->heard, revents & POLLHUP ? "h" : revents & POLLNVAL ? "n" : revents & POLLERR ? "e" : "");
        scene->calls++;
}

static void hear_timer(struct loop *loop, void *data)
{
        struct scene *scene = data;

        strbuf_adds(&scene->heard, "t");
        scene->calls++;
}

static void quit_seven(struct loop *loop, void *data)
{
        loop_quit(loop, 7);
}

static void fail_timer(struct loop *loop, void *data)
{
        fail_msg("a removed timer fired");
}

static void fail_fd(struct loop *loop, int fd, short revents, void *data)
{
        fail_msg("a removed or paused source was called");
}

static void a_loop_without_sources_ends_at_once(void **state)
{
        _cleanup_(loop_freep) struct loop *loop = loop_new();

        assert_int_equal(loop_run(loop, NULL), 0);
        loop_remove(loop, NULL);
        loop_free(NULL);
}

static void a_round_without_news_takes_its_time_and_no_more(void **state)
{
        struct scene *scene = *state;
        int64_t before = now_ms();

        loop_add_fd(scene->loop, scene->ends[0], POLLIN, fail_fd, scene);
        assert_int_equal(loop_step(scene->loop, 0, NULL), 0);
        assert_int_equal(loop_step(scene->loop, 20, NULL), 0);
        assert_true(now_ms() - before >= 20);
}

static void a_readable_descriptor_is_told(void **state)
{
        struct scene *scene = *state;

        loop_add_fd(scene->loop, scene->ends[0], POLLIN, hear_fd, scene);
        assert_int_equal(loop_step(scene->loop, 0, NULL), 0);
        assert_string_equal(scene->heard.buf, "");
        assert_int_equal(write(scene->ends[1], "x", 1), 1);
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_string_equal(scene->heard.buf, "r");
}

static void a_hang_up_is_told_without_being_asked_for(void **state)
{
        struct scene *scene = *state;

        loop_add_fd(scene->loop, scene->ends[0], POLLIN, hear_fd, scene);
        close(TAKE_FD(scene->ends[1]));
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_string_equal(scene->heard.buf, "h");
}

static void a_closed_descriptor_is_told(void **state)
{
        struct scene *scene = *state;

        loop_add_fd(scene->loop, scene->ends[0], POLLIN, hear_fd, scene);
        close(TAKE_FD(scene->ends[0]));
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_string_equal(scene->heard.buf, "n");
}

static void a_paused_source_hears_nothing_not_even_a_hang_up(void **state)
{
        struct scene *scene = *state;

        scene->source = loop_add_fd(scene->loop, scene->ends[0], POLLIN, hear_fd, scene);
        loop_set_events(scene->source, 0);
        assert_int_equal(write(scene->ends[1], "x", 1), 1);
        close(TAKE_FD(scene->ends[1]));
        assert_int_equal(loop_step(scene->loop, 10, NULL), 0);
        assert_string_equal(scene->heard.buf, "");
        loop_set_events(scene->source, POLLIN);
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_string_equal(scene->heard.buf, "rh");
}

static void timers_fire_once_in_the_order_they_are_due(void **state)
{
        struct scene *scene = *state;
        int64_t before = now_ms();

        loop_add_timer(scene->loop, 30, quit_seven, scene);
        loop_add_timer(scene->loop, 5, hear_timer, scene);
        loop_add_timer(scene->loop, 10, hear_timer, scene);
        loop_add_timer(scene->loop, 60000, fail_timer, scene);
        assert_int_equal(loop_run(scene->loop, NULL), 7);
        assert_string_equal(scene->heard.buf, "tt");
        assert_true(now_ms() - before >= 30);
        assert_true(now_ms() - before < 30000);
}

static void add_letter(struct strbuf *heard, char letter)
{
        strbuf_addc(heard, letter);
}

static void hear_a(struct loop *loop, void *data)
{
        add_letter(data, 'a');
}

static void hear_b(struct loop *loop, void *data)
{
        add_letter(data, 'b');
}

static void timers_that_are_all_late_fire_in_the_order_they_were_due(void **state)
{
        struct scene *scene = *state;

        loop_add_timer(scene->loop, 6, hear_b, &scene->heard);
        loop_add_timer(scene->loop, 2, hear_a, &scene->heard);
        assert_int_equal(poll(NULL, 0, 10), 0);
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_string_equal(scene->heard.buf, "ab");
        assert_int_equal(loop_run(scene->loop, NULL), 0); /* none is left */
}

static void a_timer_of_the_past_fires_at_once_and_one_beyond_time_never(void **state)
{
        struct scene *scene = *state;

        loop_add_timer(scene->loop, INT64_MAX, fail_timer, scene);
        loop_add_timer(scene->loop, -5, hear_timer, scene);
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_string_equal(scene->heard.buf, "t");
        assert_int_equal(loop_step(scene->loop, 5, NULL), 0);
}

static void a_removed_source_is_not_called(void **state)
{
        struct scene *scene = *state;

        scene->source = loop_add_fd(scene->loop, scene->ends[0], POLLIN, fail_fd, scene);
        scene->other = loop_add_timer(scene->loop, 0, fail_timer, scene);
        assert_int_equal(write(scene->ends[1], "x", 1), 1);
        loop_remove(scene->loop, scene->source);
        loop_remove(scene->loop, scene->other);
        assert_int_equal(loop_step(scene->loop, 5, NULL), 0);
        assert_int_equal(loop_run(scene->loop, NULL), 0);
}

static void remove_both(struct loop *loop, int fd, short revents, void *data)
{
        struct scene *scene = data;

        scene->calls++;
        loop_remove(loop, scene->source);
        loop_remove(loop, scene->other);
}

static void a_source_may_remove_itself_and_its_neighbour(void **state)
{
        struct scene *scene = *state;

        scene->source = loop_add_fd(scene->loop, scene->ends[1], POLLOUT, remove_both, scene);
        scene->other = loop_add_fd(scene->loop, scene->ends[1], POLLOUT, remove_both, scene);
        assert_int_equal(loop_run(scene->loop, NULL), 0);
        assert_int_equal(scene->calls, 1);
}

static void pause_other(struct loop *loop, int fd, short revents, void *data)
{
        struct scene *scene = data;

        loop_set_events(scene->other, 0);
        loop_quit(loop, 3);
}

static void a_source_may_pause_another_of_the_same_round(void **state)
{
        struct scene *scene = *state;

        loop_add_fd(scene->loop, scene->ends[1], POLLOUT, pause_other, scene);
        scene->other = loop_add_fd(scene->loop, scene->ends[1], POLLOUT, fail_fd, scene);
        assert_int_equal(loop_run(scene->loop, NULL), 3);
}

static void remove_other_timer(struct loop *loop, void *data)
{
        struct scene *scene = data;

        scene->calls++;
        loop_remove(loop, scene->source); /* itself, while it is called */
        loop_remove(loop, scene->other);
}

static void a_timer_may_remove_itself_and_another_that_is_due(void **state)
{
        struct scene *scene = *state;

        scene->source = loop_add_timer(scene->loop, 0, remove_other_timer, scene);
        scene->other = loop_add_timer(scene->loop, 0, fail_timer, scene);
        assert_int_equal(loop_run(scene->loop, NULL), 0);
        assert_int_equal(scene->calls, 1);
}

static void add_many(struct loop *loop, int fd, short revents, void *data)
{
        struct scene *scene = data;

        if (scene->calls++ > 0) {
                loop_quit(loop, 0);
                return;
        }
        for (int i = 0; i < 100; i++)
                loop_add_fd(loop, scene->ends[1], POLLOUT, hear_fd, scene);
}

static void what_is_added_from_inside_has_its_turn_in_the_next_round(void **state)
{
        struct scene *scene = *state;

        loop_add_fd(scene->loop, scene->ends[1], POLLOUT, add_many, scene);
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_int_equal(scene->heard.len, 0);
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_int_equal(scene->heard.len, 100);
}

static void again(struct loop *loop, void *data)
{
        struct scene *scene = data;

        if (++scene->calls < 1000)
                loop_add_timer(loop, 0, again, scene);
}

static void a_timer_that_sets_itself_again_starves_no_descriptor(void **state)
{
        struct scene *scene = *state;

        loop_add_timer(scene->loop, 0, again, scene);
        scene->source = loop_add_fd(scene->loop, scene->ends[1], POLLOUT, hear_fd, scene);
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_int_equal(loop_step(scene->loop, -1, NULL), 0);
        assert_string_equal(scene->heard.buf, "ww");
        loop_remove(scene->loop, scene->source);
        assert_int_equal(loop_run(scene->loop, NULL), 0);
        assert_int_equal(scene->calls, 1000);
}

static void replace_pipe(struct loop *loop, int fd, short revents, void *data)
{
        struct scene *scene = data;
        int number = scene->ends[0];

        /* The same descriptor number now belongs to a pipe with nothing to read. */
        loop_remove(loop, scene->other);
        close(scene->ends[0]);
        close(scene->ends[1]);
        assert_int_equal(os_pipe(scene->ends), 0);
        assert_int_equal(scene->ends[0], number);
        loop_add_fd(loop, scene->ends[0], POLLIN, fail_fd, scene);
        loop_quit(loop, 0);
}

static void a_number_that_is_used_again_is_not_taken_for_the_old_one(void **state)
{
        struct scene *scene = *state;
        int copy = fcntl(scene->ends[0], F_DUPFD_CLOEXEC, 0);

        assert_int_equal(write(scene->ends[1], "x", 1), 1);
        loop_add_fd(scene->loop, copy, POLLIN, replace_pipe, scene);
        scene->other = loop_add_fd(scene->loop, scene->ends[0], POLLIN, fail_fd, scene);
        assert_int_equal(loop_run(scene->loop, NULL), 0);
        close(copy);
}

static void a_loop_that_was_quit_can_run_again(void **state)
{
        struct scene *scene = *state;

        loop_quit(scene->loop, 4);
        assert_int_equal(loop_run(scene->loop, NULL), 4);
        loop_add_timer(scene->loop, 0, quit_seven, scene);
        assert_int_equal(loop_run(scene->loop, NULL), 7);
        assert_int_equal(loop_run(scene->loop, NULL), 0);
}

static void a_poll_that_fails_is_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        struct scene *scene = *state;
        struct rlimit before;

        loop_add_fd(scene->loop, scene->ends[0], POLLIN, fail_fd, scene);
        loop_add_fd(scene->loop, scene->ends[0], POLLIN, fail_fd, scene);
        /* poll(2): EINVAL for more descriptors than RLIMIT_NOFILE. */
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 1, before.rlim_max }), 0);
        assert_int_equal(loop_run(scene->loop, &err), -1);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_error(err, ERROR_FAILED, "cannot wait for descriptors: Invalid argument");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_loop_without_sources_ends_at_once),
                TEST(a_round_without_news_takes_its_time_and_no_more),
                TEST(a_readable_descriptor_is_told),
                TEST(a_hang_up_is_told_without_being_asked_for),
                TEST(a_closed_descriptor_is_told),
                TEST(a_paused_source_hears_nothing_not_even_a_hang_up),
                TEST(timers_fire_once_in_the_order_they_are_due),
                TEST(timers_that_are_all_late_fire_in_the_order_they_were_due),
                TEST(a_timer_of_the_past_fires_at_once_and_one_beyond_time_never),
                TEST(a_removed_source_is_not_called),
                TEST(a_source_may_remove_itself_and_its_neighbour),
                TEST(a_source_may_pause_another_of_the_same_round),
                TEST(a_timer_may_remove_itself_and_another_that_is_due),
                TEST(what_is_added_from_inside_has_its_turn_in_the_next_round),
                TEST(a_timer_that_sets_itself_again_starves_no_descriptor),
                TEST(a_number_that_is_used_again_is_not_taken_for_the_old_one),
                TEST(a_loop_that_was_quit_can_run_again),
                TEST(a_poll_that_fails_is_an_error),
        };

        return cmocka_run_group_tests_name("lib/loop", tests, NULL, NULL);
}
