/* Programs run to their end: their input, their output, and how they are stopped. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>

#include "lib/deadline.h"
#include "lib/os.h"
#include "lib/process.h"

#define ARGV(...)  ((const char *const[]){ __VA_ARGS__, NULL })
#define SHELL(...) ARGV("sh", "-c", __VA_ARGS__)

static void run(const struct process_spec *spec, struct process_result *result)
{
        _cleanup_(error_freep) struct error *err = NULL;

        if (process_run(spec, result, &err) < 0)
                fail_msg("%s", err->message);
}

static void what_a_program_says_is_kept_apart_with_its_status(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        run(&(struct process_spec){ .argv = SHELL("echo out; echo err >&2; exit 3") }, &result);
        assert_string_equal(result.out.buf, "out\n");
        assert_string_equal(result.err.buf, "err\n");
        assert_true(WIFEXITED(result.status));
        assert_int_equal(WEXITSTATUS(result.status), 3);
        /* a result can be used again */
        run(&(struct process_spec){ .argv = ARGV("true") }, &result);
        assert_string_equal(result.out.buf, "");
        assert_string_equal(result.err.buf, "");
        assert_int_equal(result.status, 0);
        process_result_clear(NULL);
        assert_int_equal(process_run(&(struct process_spec){ .argv = ARGV("true") }, NULL, NULL), 0);
}

static void a_program_that_was_killed_is_no_failure_of_the_run(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        run(&(struct process_spec){ .argv = SHELL("kill -9 $$") }, &result);
        assert_true(WIFSIGNALED(result.status));
        assert_int_equal(WTERMSIG(result.status), SIGKILL);
}

static void a_program_that_is_not_there_is_named(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        assert_int_equal(process_run(&(struct process_spec){ .argv = ARGV("no-such-program") }, &result, &err), -1);
        assert_error(err, ERROR_FAILED, "cannot run 'no-such-program': not found");
        assert_int_equal(process_check(&(struct process_spec){ .argv = ARGV("no-such-program") }, &out, &err), -1);
        assert_error(err, ERROR_FAILED, "cannot run 'no-such-program': not found");
}

static void much_input_and_output_pass_each_other(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        enum { SIZE = 3 << 20 };
        _cleanup_(freep) char *data = xmalloc(SIZE);

        for (size_t i = 0; i < SIZE; i++)
                data[i] = (char)(i * 7);
        run(&(struct process_spec){ .argv = ARGV("cat"), .input = data, .input_length = SIZE }, &result);
        assert_int_equal(result.out.len, SIZE);
        assert_memory_equal(result.out.buf, data, SIZE);
}

static void both_streams_may_be_full_at_once(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        run(&(struct process_spec){ .argv = SHELL("head -c 500000 /dev/zero >&2; head -c 500000 /dev/zero") }, &result);
        assert_int_equal(result.out.len, 500000);
        assert_int_equal(result.err.len, 500000);
}

static void stdin_is_empty_unless_it_is_given(void **state)
{
        _cleanup_(process_result_clear) struct process_result none = PROCESS_RESULT_INIT;
        _cleanup_(process_result_clear) struct process_result empty = PROCESS_RESULT_INIT;
        _cleanup_(process_result_clear) struct process_result given = PROCESS_RESULT_INIT;
        int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);

        run(&(struct process_spec){ .argv = ARGV("cat") }, &none);
        assert_string_equal(none.out.buf, "");
        run(&(struct process_spec){ .argv = ARGV("cat"), .input = "", .input_length = 0 }, &empty);
        assert_string_equal(empty.out.buf, "");
        run(&(struct process_spec){ .argv = ARGV("cat"), .stdin_fd = fd }, &given);
        assert_true(starts_with(given.out.buf, "test-lib-proces"));
        close(fd);
}

static void a_program_need_not_read_its_input(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        enum { SIZE = 1 << 20 };
        _cleanup_(freep) char *data = xcalloc(1, SIZE);
        sigset_t pending;
        sigset_t mask;

        run(&(struct process_spec){ .argv = SHELL("exec <&-; echo done"), .input = data, .input_length = SIZE }, &result);
        assert_string_equal(result.out.buf, "done\n");
        assert_int_equal(result.status, 0);
        /* We got no SIGPIPE for it, and none is pending. */
        sigpending(&pending);
        assert_false(sigismember(&pending, SIGPIPE));
        pthread_sigmask(SIG_SETMASK, NULL, &mask);
        assert_false(sigismember(&mask, SIGPIPE));
}

static void what_a_descriptor_gives_follows_the_input(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        int ends[2];
        int status;
        pid_t writer;

        assert_int_equal(os_pipe(ends), 0);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = SHELL("sleep 0.1; head -c 1000000 /dev/zero; echo end"),
                                                               .stdout_fd = ends[1] },
                                       &writer, NULL),
                         0);
        close(ends[1]);
        run(&(struct process_spec){ .argv = ARGV("cat"), .input = "begin", .input_length = 5, .then_fd = ends[0] }, &result);
        close(ends[0]);
        assert_int_equal(process_wait(writer, 10000, &status, NULL), 1);
        assert_int_equal(result.out.len, 5 + 1000000 + 4);
        assert_memory_equal(result.out.buf, "begin\0", 6);
        assert_string_equal(result.out.buf + 5 + 1000000, "end\n");
}

/* The descriptor's other end stays open: only the program is waited for. */
static void input_may_stay_open_until_the_program_ends(void **state)
{
        struct process_spec spec = { .argv = ARGV("head", "-c", "4"), .input = "text", .input_length = 4, .hold_input = true };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        assert_int_equal(process_check(&spec, &out, NULL), 0);
        assert_string_equal(out.buf, "text");
        spec.argv = ARGV("cat");
        spec.timeout_ms = 300;
        assert_int_equal(process_check(&spec, NULL, NULL), -1);
}

static void a_program_need_not_read_what_follows_either(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        int ends[2];

        assert_int_equal(os_pipe(ends), 0);
        run(&(struct process_spec){ .argv = SHELL("exec <&-; sleep 0.1; echo done"),
                                    .input = "",
                                    .input_length = 0,
                                    .then_fd = ends[0] },
            &result);
        assert_string_equal(result.out.buf, "done\n");
        process_result_clear(&result);
        assert_int_equal(write(ends[1], "some", 4), 4);
        run(&(struct process_spec){ .argv = SHELL("echo done"), .input = "x", .input_length = 1, .then_fd = ends[0] }, &result);
        assert_string_equal(result.out.buf, "done\n");
        close(ends[0]);
        close(ends[1]);
}

static void a_stream_can_go_to_a_descriptor_of_ours(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        int ends[2];
        char text[8] = { 0 };

        assert_int_equal(os_pipe(ends), 0);
        run(&(struct process_spec){ .argv = SHELL("echo out; echo err >&2"), .stderr_fd = ends[1] }, &result);
        assert_string_equal(result.out.buf, "out\n");
        assert_string_equal(result.err.buf, "");
        assert_int_equal(read(ends[0], text, sizeof(text)), 4);
        assert_string_equal(text, "err\n");
        close(ends[0]);
        close(ends[1]);
}

static void a_program_that_does_not_end_is_killed_and_reaped(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        int64_t before = now_ms();

        assert_int_equal(process_run(&(struct process_spec){ .argv = ARGV("sleep", "60"), .timeout_ms = 100 }, NULL, &err), -1);
        assert_error(err, ERROR_FAILED, "'sleep' did not end within 0.1 s");
        assert_in_range(now_ms() - before, 100, 30000);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void output_does_not_put_the_limit_off(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        const struct process_spec spec = { .argv = SHELL("trap '' TERM; while :; do echo; sleep 0.02; done"),
                                           .timeout_ms = 300 };

        assert_int_equal(process_run(&spec, NULL, &err), -1);
        assert_error(err, ERROR_FAILED, "'sh' did not end within 0.3 s");
}

static void silence_has_a_limit_that_output_moves(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        const struct process_spec talks = { .argv = SHELL("for i in 1 2 3 4 5 6 7 8 9 10; do echo; sleep 0.1; done"),
                                            .quiet_ms = 800 };
        const struct process_spec falls_silent = { .argv = SHELL("echo; exec sleep 60"), .quiet_ms = 200 };

        assert_int_equal(process_run(&talks, &result, NULL), 0);
        assert_int_equal(result.status, 0);
        assert_int_equal(process_run(&falls_silent, NULL, &err), -1);
        assert_error(err, ERROR_FAILED, "'sh' has said nothing for 0.2 s");
}

/* on_line's data: opens the process whose pid is the line. */
static void open_process(const char *line, void *data)
{
        int *fd = data;

        if (*fd < 0)
                *fd = os_process_fd((pid_t)strtol(line, NULL, 10));
}

/* Has the process ended within ten seconds? */
static bool has_ended(int process_fd)
{
        struct pollfd polled = { .fd = process_fd, .events = POLLIN };

        return poll(&polled, 1, 10000) == 1;
}

static void what_a_session_started_is_killed_with_it(void **state)
{
        _cleanup_(closep) int grandchild = -1;

        assert_int_equal(process_run(&(struct process_spec){ .argv = SHELL("sleep 60 & echo $!; wait"),
                                                             .timeout_ms = 500,
                                                             .new_session = true,
                                                             .on_line = open_process,
                                                             .on_line_data = &grandchild },
                                     NULL, NULL),
                         -1);
        assert_true(grandchild >= 0);
        assert_true(has_ended(grandchild));
}

static void a_grandchild_that_holds_the_pipes_is_not_waited_for(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(closep) int grandchild = -1;
        int64_t before = now_ms();

        run(&(struct process_spec){ .argv = SHELL("sleep 60 & echo $!; echo done; exit 4"),
                                    .timeout_ms = 50000,
                                    .on_line = open_process,
                                    .on_line_data = &grandchild },
            &result);
        assert_true(now_ms() - before < 40000);
        assert_int_equal(WEXITSTATUS(result.status), 4);
        assert_true(ends_with(result.out.buf, "\ndone\n"));
        assert_int_equal(os_process_signal(grandchild, SIGKILL), 0);
}

static void a_grandchild_that_goes_on_writing_is_not_listened_to(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(closep) int grandchild = -1;

        run(&(struct process_spec){ .argv = SHELL("(while :; do echo y; done) & echo $! >&2; echo done"), .timeout_ms = 50000 },
            &result);
        open_process(result.err.buf, &grandchild);
        assert_true(grandchild >= 0);
        assert_non_null(strstr(result.out.buf, "done\n"));
        assert_int_equal(os_process_signal(grandchild, SIGKILL), 0);
}

static void a_program_may_close_its_streams_and_live_on(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        run(&(struct process_spec){ .argv = SHELL("echo out; exec >&- 2>&-; sleep 0.1; exit 3") }, &result);
        assert_string_equal(result.out.buf, "out\n");
        assert_int_equal(WEXITSTATUS(result.status), 3);
}

static void a_stream_has_a_limit(void **state)
{
        static const char *const streams[] = { "head -c 101 /dev/zero", "head -c 101 /dev/zero >&2" };
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        run(&(struct process_spec){ .argv = SHELL("head -c 100 /dev/zero; head -c 100 /dev/zero >&2"), .output_limit = 100 },
            &result);
        assert_int_equal(result.out.len, 100);
        assert_int_equal(result.err.len, 100);
        for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
                _cleanup_(error_freep) struct error *err = NULL;

                assert_int_equal(process_run(&(struct process_spec){ .argv = SHELL(streams[i]), .output_limit = 100 }, &result,
                                             &err),
                                 -1);
                assert_error(err, ERROR_FAILED, "'sh' wrote more than 100 bytes");
        }
        assert_int_equal(result.out.len, 100); /* untouched */
}

static void a_stream_without_a_limit_of_its_own_has_the_common_one(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(process_run(&(struct process_spec){ .argv = ARGV("cat", "/dev/zero") }, NULL, &err), -1);
        assert_error(err, ERROR_FAILED, "'cat' wrote more than 8388608 bytes");
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void add_line(const char *line, void *data)
{
        strbuf_addf(data, "[%s]", line);
}

static void run_for_lines(const char *script, const char *lines)
{
        _cleanup_(strbuf_clear) struct strbuf heard = STRBUF_INIT;

        run(&(struct process_spec){ .argv = SHELL(script), .on_line = add_line, .on_line_data = &heard }, NULL);
        assert_string_equal(heard.buf, lines);
}

static void lines_are_heard_as_they_come(void **state)
{
        run_for_lines("echo one; echo two", "[one][two]");
        run_for_lines("echo one >&2", "[one]");
        run_for_lines("printf 'a\\n\\nb'", "[a][][b]");
        run_for_lines("printf 'a\\r\\nb\\rc\\r\\n'", "[a][b\rc]");
        run_for_lines("printf 'half'; sleep 0.1; printf ' line\\nrest'", "[half line][rest]");
        run_for_lines("printf 'end'; exec >&-; sleep 0.1", "[end]");
        run_for_lines("true", "");
}

static void streams_do_not_mix_within_a_line(void **state)
{
        run_for_lines("printf 'o'; sleep 0.1; printf 'e' >&2; sleep 0.1; echo ut; sleep 0.1; echo rr >&2", "[out][err]");
}

/* on_line's data: the number of lines. */
static void count_line(const char *line, void *data)
{
        ++*(size_t *)data;
}

static void lines_that_are_only_heard_are_not_kept_and_have_no_limit(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        size_t count = 0;

        run(&(struct process_spec){ .argv = SHELL("yes | head -n 5000; echo no >&2"),
                                    .output_limit = 100,
                                    .on_line = count_line,
                                    .on_line_data = &count,
                                    .lines_only = true },
            &result);
        assert_int_equal(count, 5001);
        assert_int_equal(result.out.len, 0);
        assert_string_equal(result.err.buf, "no\n");
}

/* on_line's data: the lengths of the lines. */
static void add_length(const char *line, void *data)
{
        strbuf_addf(data, "%zu ", strlen(line));
}

static void long_lines_are_heard_cut(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf heard = STRBUF_INIT;
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        run(&(struct process_spec){ .argv = SHELL(
                                            "for n in 4095 4096 4097 100000; do head -c $n /dev/zero | tr '\\0' x; echo; done"),
                                    .on_line = add_length,
                                    .on_line_data = &heard },
            &result);
        assert_string_equal(heard.buf, "4095 4096 4096 4096 ");
        assert_int_equal(result.out.len, 4095 + 4096 + 4097 + 100000 + 4); /* but kept whole */
}

static void do_nothing(int signal)
{
}

static void signals_that_interrupt_change_nothing(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        const struct itimerval often = { .it_interval.tv_usec = 500, .it_value.tv_usec = 500 };
        const struct itimerval never = { 0 };
        enum { SIZE = 1 << 20 };
        _cleanup_(freep) char *data = xcalloc(1, SIZE);
        struct sigaction before;
        int status = -1;
        pid_t pid;

        /* Without SA_RESTART: every call that waits ends with EINTR. */
        assert_int_equal(sigaction(SIGALRM, &(struct sigaction){ .sa_handler = do_nothing }, &before), 0);
        assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
        run(&(struct process_spec){ .argv = SHELL("sleep 0.1; cat; exit 3"), .input = data, .input_length = SIZE }, &result);
        assert_int_equal(result.out.len, SIZE);
        assert_int_equal(WEXITSTATUS(result.status), 3);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = SHELL("sleep 0.1; exit 4") }, &pid, NULL), 0);
        assert_int_equal(process_wait(pid, -1, &status, NULL), 1);
        assert_int_equal(WEXITSTATUS(status), 4);
        assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
        assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

static int run_without_stdio(void *data)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        static const char *const argv[] = { "cat", NULL };
        static const char *const shell[] = { "sh", "-c", "echo err >&2", NULL };

        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        if (process_run(&(struct process_spec){ .argv = argv, .input = "text", .input_length = 4 }, &result, NULL) < 0 ||
            !streq(result.out.buf, "text"))
                return 1;
        close(STDERR_FILENO);
        if (process_run(&(struct process_spec){ .argv = shell }, &result, NULL) < 0 || !streq(result.err.buf, "err\n"))
                return 2;
        return 0;
}

static void it_works_where_our_own_streams_are_closed(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        assert_int_equal(in_child(run_without_stdio, NULL, &said), 0);
}

static int run_while_children_are_ignored(void *data)
{
        _cleanup_(error_freep) struct error *err = NULL;
        static const char *const argv[] = { "true", NULL };

        signal(SIGCHLD, SIG_IGN);
        if (process_run(&(struct process_spec){ .argv = argv, .timeout_ms = 20000 }, NULL, &err) == 0)
                return 1;
        fputs(err->message, stderr);
        return 0;
}

/* SIGCHLD is ignored, as some parents leave it. Then the kernel reaps the child, and its status is lost. */
static void a_status_that_was_lost_is_an_error_not_a_success(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        assert_int_equal(in_child(run_while_children_are_ignored, NULL, &said), 0);
        assert_true(starts_with(said.buf, "cannot wait for "));
}

static size_t open_descriptors(void)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        assert_int_equal(file_list("/proc/self/fd", &names, NULL), 0);
        return names.count;
}

static void no_descriptor_stays_open_here(void **state)
{
        size_t before = open_descriptors();

        run(&(struct process_spec){ .argv = ARGV("cat"), .input = "x", .input_length = 1 }, NULL);
        assert_int_equal(process_run(&(struct process_spec){ .argv = ARGV("no-such-program"), .input = "x" }, NULL, NULL), -1);
        assert_int_equal(process_run(&(struct process_spec){ .argv = ARGV("sleep", "60"), .timeout_ms = 1 }, NULL, NULL), -1);
        assert_int_equal(process_run(&(struct process_spec){ .argv = ARGV("cat", "/dev/zero"), .output_limit = 1 }, NULL, NULL),
                         -1);
        assert_int_equal(open_descriptors(), before);
}

static void a_check_gives_the_output_of_success_alone(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        strbuf_adds(&out, "before ");
        assert_int_equal(process_check(&(struct process_spec){ .argv = SHELL("echo out; echo err >&2") }, &out, NULL), 0);
        assert_string_equal(out.buf, "before out\n");
        assert_int_equal(process_check(&(struct process_spec){ .argv = SHELL("echo more; exit 1") }, &out, &err), -1);
        assert_string_equal(out.buf, "before out\n");
        assert_int_equal(process_check(&(struct process_spec){ .argv = ARGV("true") }, NULL, NULL), 0);
}

static void expect_failure(const struct process_spec *spec, const char *message)
{
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(process_check(spec, NULL, &err), -1);
        assert_error(err, ERROR_FAILED, message);
}

static void a_failed_check_names_the_command_and_its_status(void **state)
{
        expect_failure(&(struct process_spec){ .argv = ARGV("false") }, "'false' failed with exit status 1");
        expect_failure(&(struct process_spec){ .argv = SHELL("kill -15 $$") }, "'sh' failed with signal 15 (Terminated)");
        expect_failure(&(struct process_spec){ .argv = ARGV("false", "ls-remote", "--", "x") },
                       "'false ls-remote' failed with exit status 1");
        /* The error has no option and no path, because an argument may be long, or private. */
        expect_failure(&(struct process_spec){ .argv = ARGV("false", "--option") }, "'false' failed with exit status 1");
        expect_failure(&(struct process_spec){ .argv = ARGV("false", "/a/path") }, "'false' failed with exit status 1");
        expect_failure(&(struct process_spec){ .argv = ARGV("false", "") }, "'false' failed with exit status 1");
}

static void a_failed_check_ends_with_the_last_lines_of_stderr(void **state)
{
        expect_failure(&(struct process_spec){ .argv = SHELL("echo out; echo 'fatal: no' >&2; exit 128") },
                       "'sh' failed with exit status 128: fatal: no");
        expect_failure(&(struct process_spec){ .argv = SHELL("seq 8 >&2; printf '\\n \\t\\r\\n' >&2; exit 1") },
                       "'sh' failed with exit status 1: 4; 5; 6; 7; 8");
        expect_failure(&(struct process_spec){ .argv = SHELL("printf 'one  \\r\\n\\ntwo' >&2; exit 1") },
                       "'sh' failed with exit status 1: one; two");
        expect_failure(&(struct process_spec){ .argv = SHELL("printf '\\n\\n' >&2; exit 1") },
                       "'sh' failed with exit status 1");
        expect_failure(&(struct process_spec){ .argv = SHELL("printf '\\033[2Jx' >&2; exit 1") },
                       "'sh' failed with exit status 1: \\x1b[2Jx");
}

static void a_long_last_line_is_cut_between_characters(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;

        strbuf_adds(&message, "'sh' failed with exit status 1: x");
        for (int i = 0; i < 199; i++)
                strbuf_adds(&message, "ä");
        strbuf_adds(&message, "…");
        expect_failure(&(struct process_spec){ .argv = SHELL(
                                                       "printf x >&2; for i in $(seq 300); do printf ä; done >&2; exit 1") },
                       message.buf);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_a_program_says_is_kept_apart_with_its_status),
                cmocka_unit_test(a_program_that_was_killed_is_no_failure_of_the_run),
                cmocka_unit_test(a_program_that_is_not_there_is_named),
                cmocka_unit_test(much_input_and_output_pass_each_other),
                cmocka_unit_test(both_streams_may_be_full_at_once),
                cmocka_unit_test(stdin_is_empty_unless_it_is_given),
                cmocka_unit_test(a_program_need_not_read_its_input),
                cmocka_unit_test(what_a_descriptor_gives_follows_the_input),
                cmocka_unit_test(a_program_need_not_read_what_follows_either),
                cmocka_unit_test(input_may_stay_open_until_the_program_ends),
                cmocka_unit_test(a_stream_can_go_to_a_descriptor_of_ours),
                cmocka_unit_test(a_program_that_does_not_end_is_killed_and_reaped),
                cmocka_unit_test(output_does_not_put_the_limit_off),
                cmocka_unit_test(silence_has_a_limit_that_output_moves),
                cmocka_unit_test(what_a_session_started_is_killed_with_it),
                cmocka_unit_test(a_grandchild_that_holds_the_pipes_is_not_waited_for),
                cmocka_unit_test(a_grandchild_that_goes_on_writing_is_not_listened_to),
                cmocka_unit_test(a_program_may_close_its_streams_and_live_on),
                cmocka_unit_test(a_stream_has_a_limit),
                cmocka_unit_test(lines_that_are_only_heard_are_not_kept_and_have_no_limit),
                cmocka_unit_test(a_stream_without_a_limit_of_its_own_has_the_common_one),
                cmocka_unit_test(lines_are_heard_as_they_come),
                cmocka_unit_test(streams_do_not_mix_within_a_line),
                cmocka_unit_test(long_lines_are_heard_cut),
                cmocka_unit_test(signals_that_interrupt_change_nothing),
                cmocka_unit_test(it_works_where_our_own_streams_are_closed),
                cmocka_unit_test(a_status_that_was_lost_is_an_error_not_a_success),
                cmocka_unit_test(no_descriptor_stays_open_here),
                cmocka_unit_test(a_check_gives_the_output_of_success_alone),
                cmocka_unit_test(a_failed_check_names_the_command_and_its_status),
                cmocka_unit_test(a_failed_check_ends_with_the_last_lines_of_stderr),
                cmocka_unit_test(a_long_last_line_is_cut_between_characters),
        };

        return cmocka_run_group_tests_name("lib/process-run", tests, NULL, NULL);
}
