/* Logs of a guest are shown as they grow and quoted at the end, always as plain text. */
#include "scratch.h"

#include <fcntl.h>
#include <unistd.h>

#include "vm/console.h"

static char *log_path(void **state)
{
        return path_join(*state, "console.log");
}

static void append(const char *path, const char *text)
{
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void the_old_log_is_kept_beside_the_new_one(void **state)
{
        _cleanup_(freep) char *path = log_path(state);
        _cleanup_(freep) char *old = xasprintf("%s.1", path);
        _cleanup_(freep) char *text = NULL;
        _cleanup_(freep) char *fresh = NULL;

        scratch_write(path, "first\n");
        assert_int_equal(console_rotate(path, NULL), 0);
        text = scratch_read(old);
        fresh = scratch_read(path);
        assert_string_equal(text, "first\n");
        assert_string_equal(fresh, "");
        assert_int_equal(scratch_mode(path), 0600);
        assert_int_equal(console_rotate(path, NULL), 0);
}

struct heard {
        struct event_sink sink;
        struct strbuf text;
};

static void hear(struct event_sink *sink, const struct event *event)
{
        struct heard *heard = (struct heard *)sink;

        assert_int_equal(event->type, EVENT_LINE);
        strbuf_addf(&heard->text, "<%s>", event->text);
}

static void lines_are_reported_as_they_become_whole(void **state)
{
        _cleanup_(freep) char *path = log_path(state);
        _cleanup_(console_clear) struct console console = CONSOLE_INIT;
        struct heard heard = { .sink = { hear }, .text = STRBUF_INIT };

        scratch_write(path, "before\n");
        assert_int_equal(console_follow(&console, path, NULL), 0);
        append(path, "one\r\n\r\n\033[1mtw");
        console_report(&console, &heard.sink);
        assert_string_equal(heard.text.buf, "<one>");
        append(path, "o\033[0m\nthree");
        console_report(&console, &heard.sink);
        assert_string_equal(heard.text.buf, "<one><two>");
        strbuf_clear(&heard.text);
}

/* machine-log makes a full log shorter like this. */
static void a_log_that_became_shorter_is_followed_from_its_end(void **state)
{
        _cleanup_(freep) char *path = log_path(state);
        _cleanup_(console_clear) struct console console = CONSOLE_INIT;
        struct heard heard = { .sink = { hear }, .text = STRBUF_INIT };

        scratch_write(path, "before\n");
        assert_int_equal(console_follow(&console, path, NULL), 0);
        append(path, "one\nhalf a li");
        console_report(&console, &heard.sink);
        assert_int_equal(truncate(path, 3), 0);
        console_report(&console, &heard.sink);
        append(path, "two\n");
        console_report(&console, &heard.sink);
        assert_string_equal(heard.text.buf, "<one><two>");
        strbuf_clear(&heard.text);
}

static void an_endless_line_is_cut(void **state)
{
        _cleanup_(freep) char *path = log_path(state);
        _cleanup_(console_clear) struct console console = CONSOLE_INIT;
        _cleanup_(freep) char *long_line = xmalloc(100001);
        struct heard heard = { .sink = { hear }, .text = STRBUF_INIT };

        memset(long_line, 'x', 100000);
        long_line[100000] = '\0';
        scratch_write(path, "");
        assert_int_equal(console_follow(&console, path, NULL), 0);
        append(path, long_line);
        append(path, "\n");
        console_report(&console, &heard.sink);
        assert_in_range(heard.text.len, 100, 1000);
        strbuf_clear(&heard.text);
}

static void expect_last(void **state, const char *content, size_t lines, const char *expected)
{
        _cleanup_(freep) char *path = log_path(state);
        _cleanup_(console_clear) struct console console = CONSOLE_INIT;
        struct heard heard = { .sink = { hear }, .text = STRBUF_INIT };

        scratch_write(path, content);
        assert_int_equal(console_follow_last(&console, path, lines, NULL), 0);
        assert_false(console_report(&console, &heard.sink));
        console_report_rest(&console, &heard.sink);
        assert_string_equal(heard.text.buf, expected);
        strbuf_clear(&heard.text);
}

static void a_log_is_followed_from_its_last_lines_on(void **state)
{
        expect_last(state, "one\ntwo\nthree\n", 2, "<two><three>");
        expect_last(state, "one\ntwo\nthree", 2, "<two><three>");
        expect_last(state, "one\ntwo\n", 2, "<one><two>");
        expect_last(state, "one\ntwo\n", 9, "<one><two>");
        expect_last(state, "one\ntwo\n", 0, "");
        expect_last(state, "", 3, "");
}

/* Longer than what is read at a time, in both directions. */
static void of_a_long_log_the_last_lines_are_found_and_all_of_them_reported(void **state)
{
        _cleanup_(freep) char *path = log_path(state);
        _cleanup_(console_clear) struct console console = { .fd = -1, .line_limit = 20000 };
        struct heard heard = { .sink = { hear }, .text = STRBUF_INIT };
        _cleanup_(freep) char *line = xasprintf("%0*d", 10000, 1);
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;

        for (size_t i = 0; i < 100; i++)
                strbuf_addf(&content, "%s\n", line);
        scratch_write(path, content.buf);
        assert_int_equal(console_follow_last(&console, path, 50, NULL), 0);
        assert_true(console_report(&console, &heard.sink));
        while (console_report(&console, &heard.sink))
                ;
        assert_int_equal(heard.text.len, 50 * 10002);
        strbuf_clear(&heard.text);
}

static void a_link_in_place_of_the_log_is_not_followed(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "link.log");
        _cleanup_(console_clear) struct console console = CONSOLE_INIT;
        _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;

        assert_int_equal(symlink("/etc/passwd", path), 0);
        assert_int_equal(console_follow(&console, path, NULL), -1);
        console_quote(&quoted, path, 3);
        assert_int_equal(quoted.len, 0);
}

static void expect_quote(void **state, const char *content, size_t count, const char *expected)
{
        _cleanup_(freep) char *path = log_path(state);
        _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;

        scratch_write(path, content);
        console_quote(&quoted, path, count);
        assert_string_equal(quoted.buf, expected);
}

static void the_last_lines_that_say_something_are_quoted(void **state)
{
        expect_quote(state, "one\ntwo\n\n \nthree\n\n", 2, "two; three");
        expect_quote(state, "one\ntwo", 5, "one; two");
        expect_quote(state, "\033[31mred\033[0m\r\n", 1, "red");
        expect_quote(state, "", 3, "");
        expect_quote(state, "\n\n\n", 3, "");
}

static void a_missing_log_quotes_as_nothing(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "none.log");
        _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;

        console_quote(&quoted, path, 3);
        assert_string_equal(quoted.buf, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_old_log_is_kept_beside_the_new_one),
                cmocka_unit_test(lines_are_reported_as_they_become_whole),
                cmocka_unit_test(a_log_that_became_shorter_is_followed_from_its_end),
                cmocka_unit_test(an_endless_line_is_cut),
                cmocka_unit_test(a_log_is_followed_from_its_last_lines_on),
                cmocka_unit_test(of_a_long_log_the_last_lines_are_found_and_all_of_them_reported),
                cmocka_unit_test(a_link_in_place_of_the_log_is_not_followed),
                cmocka_unit_test(the_last_lines_that_say_something_are_quoted),
                cmocka_unit_test(a_missing_log_quotes_as_nothing),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
