/* Events without a terminal: plain lines for a log, JSON Lines for a program. */
#include "capture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "lib/json.h"
#include "term/output.h"

static int reader;

static struct output *begin(struct capture *capture, int number, enum output_mode mode, bool quiet)
{
        *capture = capture_start(number);
        return output_new(mode, quiet);
}

/* Durations differ from run to run: " in 0.0 s" becomes " in TIME". Owned by the caller. */
static char *without_times(char *text)
{
        _cleanup_(freep) char *owned = text;
        static const char *const before[] = { " in ", " after " };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        for (const char *c = owned; *c;) {
                size_t length = 0;

                for (size_t i = 0; i < ARRAY_SIZE(before); i++)
                        if (starts_with(c, before[i]) && c[strlen(before[i])] >= '0' && c[strlen(before[i])] <= '9')
                                length = strlen(before[i]);
                if (length == 0) {
                        strbuf_addc(&out, *c++);
                        continue;
                }
                strbuf_add(&out, c, length);
                strbuf_adds(&out, "TIME");
                c += length;
                c += strcspn(c, ":\n");
        }
        return strbuf_take(&out);
}

static void some_work(struct event_sink *events)
{
        event_note(events, "engine %s", "qemu");
        event_begin(events, "create", "making VM '%s'", "blog");
        event_begin(events, "base", "building the base image");
        for (int i = 0; i < 1000; i++)
                event_line(events, "Unpacking something");
        event_end(events, "base", EVENT_DONE, NULL);
        event_begin(events, "repos", "bringing in the code");
        event_end(events, "repos", EVENT_SKIPPED, "nothing to clone");
        event_warning(events, "the disk is nearly full");
        event_end(events, "create", EVENT_DONE, NULL);
}

static void a_log_gets_one_line_for_each_begin_and_end(void **state)
{
        struct capture capture;
        struct output *output = begin(&capture, STDERR_FILENO, OUTPUT_AUTO, false);
        _cleanup_(freep) char *text = NULL;

        some_work(output_sink(output));
        output_free(output);
        text = without_times(capture_end(&capture));
        assert_string_equal(text, "note: engine qemu\n"
                                  "[create] making VM 'blog'\n"
                                  "[base] building the base image\n"
                                  "[base] done in TIME\n"
                                  "[repos] bringing in the code\n"
                                  "[repos] skipped: nothing to clone\n"
                                  "warning: the disk is nearly full\n"
                                  "[create] done in TIME\n");
}

static void notes_and_warnings_do_not_drive_the_terminal(void **state)
{
        struct capture capture;
        struct output *output = begin(&capture, STDERR_FILENO, OUTPUT_AUTO, false);
        struct event_sink *events = output_sink(output);
        _cleanup_(freep) char *text = NULL;

        event_note(events, "%s", "a guest's \033[2Jname\nmachine: error");
        event_warning(events, "%s", "\033]0;title\007 and \xc2\x9b");
        output_free(output);
        text = capture_end(&capture);
        assert_string_equal(text, "note: a guest's \\x1b[2Jname\\x0amachine: error\n"
                                  "warning: \\x1b]0;title\\x07 and \\xc2\\x9b\n");
}

static void a_failed_step_leaves_its_last_lines_in_the_log(void **state)
{
        struct capture capture;
        struct output *output = begin(&capture, STDERR_FILENO, OUTPUT_PLAIN, false);
        struct event_sink *events = output_sink(output);
        _cleanup_(freep) char *text = NULL;

        event_begin(events, "base", "building");
        for (int i = 0; i < 100; i++) {
                _cleanup_(freep) char *line = xasprintf("line %d\033[A", i);

                event_line(events, line);
        }
        event_end(events, "base", EVENT_FAILED, "no space");
        output_free(output);
        text = without_times(capture_end(&capture));
        assert_true(starts_with(text, "[base] building\n[base] | line 90\\x1b[A\n"));
        assert_true(ends_with(text, "[base] | line 99\\x1b[A\n[base] failed after TIME: no space\n"));
}

static void verbose_shows_each_line_of_a_step_once(void **state)
{
        struct capture capture;
        struct output *output = begin(&capture, STDERR_FILENO, OUTPUT_VERBOSE, false);
        struct event_sink *events = output_sink(output);
        _cleanup_(freep) char *text = NULL;

        event_line(events, "of no step");
        event_begin(events, "base", "building");
        event_line(events, "one");
        event_line(events, "two\033[A");
        event_end(events, "base", EVENT_FAILED, "no space");
        output_free(output);
        text = without_times(capture_end(&capture));
        assert_string_equal(text, "[base] building\n[base] | one\n[base] | two\\x1b[A\n"
                                  "[base] failed after TIME: no space\n");
}

static void quiet_leaves_warnings_only(void **state)
{
        struct capture capture;
        struct output *output = begin(&capture, STDERR_FILENO, OUTPUT_AUTO, true);
        _cleanup_(freep) char *text = NULL;

        some_work(output_sink(output));
        output_free(output);
        text = capture_end(&capture);
        assert_string_equal(text, "warning: the disk is nearly full\n");
}

static void nothing_of_it_goes_to_standard_output(void **state)
{
        struct capture errors = capture_start(STDERR_FILENO);
        struct capture results = capture_start(STDOUT_FILENO);
        struct output *output = output_new(OUTPUT_AUTO, false);
        _cleanup_(freep) char *result = NULL;
        _cleanup_(freep) char *error = NULL;

        some_work(output_sink(output));
        output_free(output);
        result = capture_end(&results);
        error = capture_end(&errors);
        assert_string_equal(result, "");
        assert_string_not_equal(error, "");
}

static void work_of_known_length(struct output *output)
{
        event_begin_expecting(output_sink(output), "base", 240000, "building");
        event_progress(output_sink(output), 10, 100);
        event_end(output_sink(output), "base", EVENT_STOPPED, NULL);
        output_say(output, "Stopping.");
        output_free(output);
}

static void a_log_gets_what_is_expected_and_no_progress(void **state)
{
        struct capture capture;
        _cleanup_(freep) char *text = NULL;

        work_of_known_length(begin(&capture, STDERR_FILENO, OUTPUT_AUTO, false));
        text = without_times(capture_end(&capture));
        assert_string_equal(text, "[base] building (last time: 4 minutes)\n"
                                  "[base] stopped after TIME\n"
                                  "Stopping.\n");
}

static void json_gets_what_is_expected_and_no_progress(void **state)
{
        struct capture capture;
        _cleanup_(freep) char *text = NULL;

        work_of_known_length(begin(&capture, STDOUT_FILENO, OUTPUT_JSON, false));
        text = capture_end(&capture);
        assert_true(starts_with(text, "{\"event\":\"begin\",\"id\":\"base\",\"text\":\"building\",\"expected_seconds\":240.0}\n"
                                      "{\"event\":\"end\",\"id\":\"base\",\"outcome\":\"stopped\","));
        assert_true(ends_with(text, "{\"event\":\"note\",\"text\":\"Stopping.\"}\n"));
}

static void as_json_each_event_is_one_line(void **state)
{
        struct capture capture;
        struct output *output = begin(&capture, STDOUT_FILENO, OUTPUT_JSON, false);
        struct event_sink *events = output_sink(output);
        _cleanup_(freep) char *text = NULL;
        _cleanup_(json_decrefp) json_t *end = NULL;
        const char *last;

        event_begin(events, "base", "building");
        event_line(events, "Unpacking \"git\"");
        event_note(events, "a note");
        event_warning(events, "a warning");
        event_end(events, "base", EVENT_FAILED, "no space");
        output_free(output);
        text = capture_end(&capture);
        assert_true(
                starts_with(text,
                            "{\"event\":\"begin\",\"id\":\"base\",\"text\":\"building\"}\n"
                            "{\"event\":\"line\",\"text\":\"Unpacking \\\"git\\\"\"}\n"
                            "{\"event\":\"note\",\"text\":\"a note\"}\n"
                            "{\"event\":\"warning\",\"text\":\"a warning\"}\n"
                            "{\"event\":\"end\",\"id\":\"base\",\"outcome\":\"failed\",\"reason\":\"no space\",\"seconds\":"));
        last = strstr(text, "{\"event\":\"end\"");
        end = json_parse(last, strlen(last), "the event", NULL);
        assert_true(json_is_real(json_object_get(end, "seconds")));
        assert_true(json_real_value(json_object_get(end, "seconds")) < 60);
}

static void as_json_an_end_without_a_begin_has_no_seconds(void **state)
{
        struct capture capture;
        struct output *output = begin(&capture, STDOUT_FILENO, OUTPUT_JSON, false);
        _cleanup_(freep) char *text = NULL;

        event_end(output_sink(output), "base", EVENT_DONE, NULL);
        output_free(output);
        text = capture_end(&capture);
        assert_string_equal(text,
                            "{\"event\":\"end\",\"id\":\"base\",\"outcome\":\"done\",\"reason\":null,\"seconds\":null}\n");
}

static void as_json_a_line_that_is_no_utf8_is_still_a_line(void **state)
{
        struct capture capture;
        struct output *output = begin(&capture, STDOUT_FILENO, OUTPUT_JSON, false);
        _cleanup_(freep) char *text = NULL;

        event_line(output_sink(output), "caf\xe9");
        output_free(output);
        text = capture_end(&capture);
        assert_string_equal(text, "{\"event\":\"line\",\"text\":\"caf\\\\xe9\"}\n");
}

static void events_after_settling_are_shown(void **state)
{
        struct capture capture;
        struct output *output = begin(&capture, STDERR_FILENO, OUTPUT_PLAIN, false);
        _cleanup_(freep) char *text = NULL;

        event_begin(output_sink(output), "start", "starting");
        output_settle(output);
        event_end(output_sink(output), "start", EVENT_DONE, NULL);
        event_note(output_sink(output), "later");
        output_settle(output);
        output_free(output);
        text = capture_end(&capture);
        assert_string_equal(text, "[start] starting\nnote: later\n");
}

static void no_output_is_a_sink_that_swallows(void **state)
{
        assert_null(output_sink(NULL));
        event_note(output_sink(NULL), "nobody hears");
        output_settle(NULL);
        output_free(NULL);
}

static void *read_all(void *data)
{
        static char block[512];
        struct strbuf *text = data;
        ssize_t got;

        while ((got = read(reader, block, sizeof(block))) > 0)
                strbuf_add(text, block, (size_t)got);
        return NULL;
}

static void a_slow_reader_of_a_non_blocking_pipe_gets_everything(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf expected = STRBUF_INIT;
        _cleanup_(freep) char *long_text = xcalloc(1, 3000);
        int before = dup(STDERR_FILENO);
        struct output *output;
        pthread_t thread;
        int ends[2];

        memset(long_text, 'x', 2999);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
        reader = ends[0];
        dup2(ends[1], STDERR_FILENO);
        close(ends[1]);
        output = output_new(OUTPUT_PLAIN, false);
        /* A pipe takes 64 KiB. These come before anybody reads, the rest comes faster than it is read. */
        for (int i = 0; i < 10; i++)
                event_note(output_sink(output), "%s", long_text);
        assert_int_equal(pthread_create(&thread, NULL, read_all, &text), 0);
        for (int i = 0; i < 211; i++)
                event_note(output_sink(output), "%s", long_text);
        output_free(output);
        dup2(before, STDERR_FILENO);
        close(before);
        pthread_join(thread, NULL);
        close(ends[0]);
        for (int i = 0; i < 221; i++)
                strbuf_addf(&expected, "note: %s\n", long_text);
        assert_int_equal(text.len, expected.len);
        assert_memory_equal(text.buf, expected.buf, expected.len);
}

static void a_reader_that_went_away_is_survived(void **state)
{
        int ends[2];
        int before = dup(STDERR_FILENO);
        struct output *output;

        assert_int_equal(pipe(ends), 0);
        close(ends[0]);
        dup2(ends[1], STDERR_FILENO);
        close(ends[1]);
        output = output_new(OUTPUT_PLAIN, false);
        some_work(output_sink(output));
        output_free(output);
        dup2(before, STDERR_FILENO);
        close(before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_log_gets_one_line_for_each_begin_and_end),
                cmocka_unit_test(notes_and_warnings_do_not_drive_the_terminal),
                cmocka_unit_test(a_failed_step_leaves_its_last_lines_in_the_log),
                cmocka_unit_test(verbose_shows_each_line_of_a_step_once),
                cmocka_unit_test(quiet_leaves_warnings_only),
                cmocka_unit_test(nothing_of_it_goes_to_standard_output),
                cmocka_unit_test(a_log_gets_what_is_expected_and_no_progress),
                cmocka_unit_test(json_gets_what_is_expected_and_no_progress),
                cmocka_unit_test(as_json_each_event_is_one_line),
                cmocka_unit_test(as_json_an_end_without_a_begin_has_no_seconds),
                cmocka_unit_test(as_json_a_line_that_is_no_utf8_is_still_a_line),
                cmocka_unit_test(events_after_settling_are_shown),
                cmocka_unit_test(no_output_is_a_sink_that_swallows),
                cmocka_unit_test(a_slow_reader_of_a_non_blocking_pipe_gets_everything),
                cmocka_unit_test(a_reader_that_went_away_is_survived),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests_name("term/output", tests, NULL, NULL);
}
