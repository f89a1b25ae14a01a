/* Ctrl-C in a command that has something to put in order. Each test runs in a child: signals are the whole program's affair. */
#include "scratch.h"

#include "check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/event.h"
#include "lib/interrupt.h"
#include "lib/lock.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/text.h"

#define LONG_MS   20000
#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Runs `function` in a child. Returns how the child ended, as waitpid(2) gives it. */
static int run_apart(void (*function)(void *data), void *data)
{
        int status = -1;
        pid_t child = fork_child();

        if (child == 0) {
                function(data);
                _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        return status;
}

#define assert_passes(function, data) assert_int_equal(run_apart(function, data), 0)

/* For the children: a failed assertion of cmocka's would go on in the parent's tests. */
#define must(condition)                                                                                                        \
        do {                                                                                                                   \
                if (!(condition)) {                                                                                            \
                        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                \
                        _exit(1);                                                                                              \
                }                                                                                                              \
        } while (0)

static void await_pending(void)
{
        struct pollfd polled = { .fd = interrupt_fd(), .events = POLLIN };

        must(polled.fd >= 0 && poll(&polled, 1, LONG_MS) == 1);
        must(interrupt_pending());
}

static void catch_one(void)
{
        must(interrupt_catch(NULL, NULL, NULL) == 0);
        must(!interrupt_pending() && interrupt_check(NULL) == 0);
        kill(getpid(), SIGINT);
        await_pending();
}

/* Has a process ended? One that nobody reaps counts as ended. */
static bool ends(pid_t pid)
{
        _cleanup_(closep) int fd = os_process_fd(pid);
        struct pollfd polled = { .fd = fd, .events = POLLIN };

        return fd < 0 ? errno == ESRCH : poll(&polled, 1, LONG_MS) == 1;
}

/* --- said */

static void count(void *data)
{
        (*(int *)data)++;
}

static void say_and_report(void *data _unused_)
{
        _cleanup_(error_freep) struct error *err = NULL;
        int said = 0;

        must(interrupt_catch(count, &said, NULL) == 0 && interrupt_is_caught());
        interrupt_next("machine up %s", "blog");
        kill(getpid(), SIGTERM);
        await_pending();
        interrupt_mute();
        must(said == 1);
        must(interrupt_check(&err) < 0 && err->kind == ERROR_INTERRUPTED);
        error_set(&err, ERROR_FAILED, "curl failed");
        must(interrupt_report(&err) < 0 && error_exit_status(err) == 130);
        must(streq(err->message, "stopped before it was done") && streq(err->hint, "'machine up blog' goes on from there"));
}

static void the_first_signal_is_said_and_reported_with_what_goes_on(void **state)
{
        assert_passes(say_and_report, NULL);
}

struct heard {
        struct event_sink sink;
        unsigned begun, ended, remarks;
        enum event_outcome outcome;
};

static void handle(struct event_sink *sink, const struct event *event)
{
        struct heard *heard = (struct heard *)sink;

        heard->begun += event->type == EVENT_BEGIN;
        heard->ended += event->type == EVENT_END;
        heard->remarks += event->type == EVENT_NOTE || event->type == EVENT_WARNING || event->type == EVENT_LINE;
        if (event->type == EVENT_END)
                heard->outcome = event->outcome;
}

static void report_events(void *data _unused_)
{
        struct heard heard = { .sink = { .handle = handle } };

        event_begin(&heard.sink, "base", "building");
        catch_one();
        event_begin(&heard.sink, "other", "a way round");
        event_warning(&heard.sink, "that didn't work");
        event_note(&heard.sink, "nor did that");
        event_line(&heard.sink, "a line");
        event_end(&heard.sink, "base", EVENT_FAILED, NULL);
        must(heard.begun == 1 && heard.ended == 1 && heard.remarks == 0 && heard.outcome == EVENT_STOPPED);
}

static void what_fails_because_of_it_is_not_reported_and_steps_end_as_stopped(void **state)
{
        assert_passes(report_events, NULL);
}

/* --- programs */

static pid_t grandchild;

/* 0 when the line is none. */
static pid_t pid_of(const char *line)
{
        int64_t pid = 0;

        text_parse_int(line, 1, INT32_MAX, &pid);
        return (pid_t)pid;
}

/* The program has printed its child's pid: then Ctrl-C comes. */
static void on_line(const char *line, void *data _unused_)
{
        grandchild = pid_of(line);
        kill(getpid(), SIGINT);
}

static void run_with_grandchild(const char *script)
{
        _cleanup_(error_freep) struct error *err = NULL;
        int64_t began = now_ms();

        must(interrupt_catch(NULL, NULL, NULL) == 0);
        must(process_run(&(struct process_spec){ .argv = ARGV("sh", "-c", script), .timeout_ms = -1, .on_line = on_line }, NULL,
                         &err) < 0);
        must(err->kind == ERROR_INTERRUPTED && now_ms() - began < LONG_MS);
        must(grandchild > 0 && ends(grandchild));
}

static void end_a_group(void *data _unused_)
{
        run_with_grandchild("sleep 600 & echo $!; wait");
}

static void a_program_ends_at_once_with_what_it_has_started(void **state)
{
        assert_passes(end_a_group, NULL);
}

static void end_a_deaf_group(void *data _unused_)
{
        run_with_grandchild("trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & wait");
}

static void one_that_ignores_the_request_is_killed(void **state)
{
        assert_passes(end_a_deaf_group, NULL);
}

static void begin_nothing(void *data)
{
        _cleanup_(error_freep) struct error *err = NULL;
        const char *const argv[] = { "touch", data, NULL };

        catch_one();
        must(process_check(&(struct process_spec){ .argv = argv }, NULL, &err) < 0 && err->kind == ERROR_INTERRUPTED);
        must(!file_exists(data));
        interrupt_hold();
        must(!interrupt_pending() && interrupt_fd() < 0);
        must(process_check(&(struct process_spec){ .argv = argv }, NULL, NULL) == 0);
        interrupt_go_on();
        must(file_exists(data) && interrupt_pending());
}

static void no_program_is_started_any_more_except_to_tidy_up(void **state)
{
        _cleanup_(freep) char *file = path_join(*state, "touched");

        assert_passes(begin_nothing, file);
}

/* --- locks */

static void wait_for_a_lock(void *data)
{
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        int64_t began = now_ms();

        must(interrupt_catch(NULL, NULL, NULL) == 0);
        alarm(60); /* ends what would hang */
        if (fork() == 0) {
                poll(NULL, 0, 300);
                kill(getppid(), SIGINT);
                _exit(0);
        }
        must(lock_acquire(&lock, data, LOCK_EXCLUSIVE, -1, &err) < 0);
        must(err->kind == ERROR_INTERRUPTED && now_ms() - began < LONG_MS);
}

static void waiting_for_a_lock_ends(void **state)
{
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(freep) char *path = path_join(*state, "lock");

        assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, NULL), 0);
        assert_passes(wait_for_a_lock, path);
}

/* --- the second signal */

static void twice(const char *line, void *data)
{
        dprintf(*(int *)data, "%s\n", line);
        kill(getpid(), SIGINT);
        await_pending();
        kill(getpid(), SIGTERM);
        for (;;)
                pause();
}

static void run_until_twice(void *data)
{
        must(interrupt_catch(NULL, NULL, NULL) == 0);
        process_run(&(struct process_spec){ .argv = ARGV("sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait"),
                                            .timeout_ms = -1,
                                            .on_line = twice,
                                            .on_line_data = data },
                    NULL, NULL);
}

static void the_second_ends_the_program_and_kills_what_it_runs(void **state)
{
        char line[32] = "";
        int pipe_ends[2];
        int status;

        assert_int_equal(os_pipe(pipe_ends), 0);
        status = run_apart(run_until_twice, &pipe_ends[1]);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGTERM);
        assert_true(read(pipe_ends[0], line, sizeof(line) - 1) > 0);
        line[strcspn(line, "\n")] = '\0';
        assert_true(pid_of(line) > 0);
        assert_true(ends(pid_of(line)));
        close(pipe_ends[0]);
        close(pipe_ends[1]);
}

/* --- ignored ones */

static void ignore(void *data _unused_)
{
        signal(SIGHUP, SIG_IGN);
        must(interrupt_catch(NULL, NULL, NULL) == 0);
        kill(getpid(), SIGHUP);
        poll(NULL, 0, 200);
        must(!interrupt_pending());
        kill(getpid(), SIGINT);
        await_pending();
}

static void a_signal_that_was_ignored_stays_so(void **state)
{
        assert_passes(ignore, NULL);
}

static void nothing_is_caught_unasked(void **state)
{
        assert_false(interrupt_is_caught());
        assert_false(interrupt_pending());
        assert_int_equal(interrupt_fd(), -1);
        assert_int_equal(interrupt_check(NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_caught_unasked),
                cmocka_unit_test(the_first_signal_is_said_and_reported_with_what_goes_on),
                cmocka_unit_test(what_fails_because_of_it_is_not_reported_and_steps_end_as_stopped),
                cmocka_unit_test(a_program_ends_at_once_with_what_it_has_started),
                cmocka_unit_test(one_that_ignores_the_request_is_killed),
                cmocka_unit_test(no_program_is_started_any_more_except_to_tidy_up),
                cmocka_unit_test(waiting_for_a_lock_ends),
                cmocka_unit_test(the_second_ends_the_program_and_kills_what_it_runs),
                cmocka_unit_test(a_signal_that_was_ignored_stays_so),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
