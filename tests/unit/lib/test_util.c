/* Allocation, ownership and clean-up. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "lib/util.h"

static void an_allocation_of_nothing_can_be_freed(void **state)
{
        _cleanup_(freep) void *none = xmalloc(0);
        _cleanup_(freep) void *zeroes = xcalloc(0, 8);
        _cleanup_(freep) void *no_size = xcalloc(8, 0);
        _cleanup_(freep) void *copy = xmemdup(NULL, 0);
        void *moved = xrealloc(xmalloc(8), 0);

        assert_non_null(none);
        assert_non_null(zeroes);
        assert_non_null(no_size);
        assert_non_null(copy);
        assert_non_null(moved);
        free(moved);
}

static void xcalloc_gives_zeroes(void **state)
{
        _cleanup_(freep) unsigned char *data = xcalloc(100, 10);

        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(data[i], 0);
}

static void xrealloc_keeps_what_was_there(void **state)
{
        char *data = xrealloc(NULL, 4);

        memcpy(data, "abc", 4);
        data = xrealloc(data, 100000);
        assert_string_equal(data, "abc");
        data = xreallocarray(data, 2, 2);
        assert_string_equal(data, "abc");
        free(data);
}

static int multiply_too_far(void *data)
{
        free(xreallocarray(NULL, SIZE_MAX / 2, 3));
        return 0;
}

static void a_product_that_overflows_ends_the_program(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        int status = in_child(multiply_too_far, NULL, &said);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
        assert_string_equal(said.buf, "machine: out of memory\n");
}

static void copies_are_ended_by_nul(void **state)
{
        _cleanup_(freep) char *whole = xstrdup("text");
        _cleanup_(freep) char *part = xstrndup("text", 2);
        _cleanup_(freep) char *beyond = xstrndup("text", 100);
        _cleanup_(freep) char *data = xmemdup("a\0b", 4);

        assert_string_equal(whole, "text");
        assert_string_equal(part, "te");
        assert_string_equal(beyond, "text");
        assert_memory_equal(data, "a\0b", 4);
        assert_null(xstrdup(NULL));
}

static void xstrndup_reads_no_byte_behind_the_length(void **state)
{
        static const char unended[] = { 'a', 'b' };
        _cleanup_(freep) char *copy = xstrndup(unended, sizeof(unended));

        assert_string_equal(copy, "ab");
}

static _printf_(1, 2) char *format_text(const char *format, ...)
{
        va_list args;
        char *text;

        va_start(args, format);
        text = xvasprintf(format, args);
        va_end(args);
        return text;
}

static void formatted_texts_have_no_limit(void **state)
{
        _cleanup_(freep) char *text = xasprintf("%s-%d", "vm", 7);
        _cleanup_(freep) char *same = format_text("%s-%d", "vm", 7);
        _cleanup_(freep) char *wide = xasprintf("%100000s", "x");

        assert_string_equal(text, "vm-7");
        assert_string_equal(same, "vm-7");
        assert_int_equal(strlen(wide), 100000);
}

static void take_ptr_leaves_null_behind(void **state)
{
        _cleanup_(freep) char *owner = xstrdup("text");
        char *text = owner;
        _cleanup_(freep) char *taken = TAKE_PTR(owner);

        assert_null(owner);
        assert_ptr_equal(taken, text);
}

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static void take_fd_leaves_no_descriptor_behind(void **state)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int taken;

        {
                _cleanup_(closep) int owner = fd;

                taken = TAKE_FD(owner);
                assert_int_equal(owner, -1);
        }
        assert_int_equal(taken, fd);
        assert_true(is_open(fd));
        close(fd);
}

static void closep_closes_and_keeps_errno(void **state)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int none = -1;

        errno = ENOTEMPTY;
        closep(&fd);
        assert_int_equal(errno, ENOTEMPTY);
        assert_false(is_open(fd));
        errno = ENOTEMPTY;
        closep(&fd); /* close(2) fails */
        assert_int_equal(errno, ENOTEMPTY);
        closep(&none);
        assert_int_equal(errno, ENOTEMPTY);
}

static void fclosep_closes_a_stream_and_takes_none(void **state)
{
        FILE *none = NULL;
        FILE *file = fopen("/dev/null", "re");
        int fd = fileno(file);

        fclosep(&file);
        assert_false(is_open(fd));
        fclosep(&none);
}

static void set_string_frees_what_was_there(void **state)
{
        char *text = NULL;

        set_string(&text, xstrdup("first"));
        assert_string_equal(text, "first");
        set_string(&text, xstrdup("second"));
        assert_string_equal(text, "second");
        set_string(&text, text);
        assert_string_equal(text, "second");
        set_string(&text, NULL);
        assert_null(text);
}

static void texts_are_compared_with_null_as_a_value(void **state)
{
        assert_true(streq("a", "a"));
        assert_false(streq("a", "b"));
        assert_true(streq_ptr(NULL, NULL));
        assert_false(streq_ptr(NULL, ""));
        assert_false(streq_ptr("", NULL));
        assert_true(streq_ptr("a", "a"));
        assert_false(streq_ptr("a", "b"));
}

static void beginnings_and_ends_are_found(void **state)
{
        assert_true(starts_with("machine", "mach"));
        assert_true(starts_with("machine", ""));
        assert_false(starts_with("mach", "machine"));
        assert_false(starts_with("machine", "chine"));
        assert_true(ends_with("vm.json", ".json"));
        assert_true(ends_with("vm.json", ""));
        assert_true(ends_with(".json", ".json"));
        assert_false(ends_with("json", ".json"));
        assert_false(ends_with("vm.json5", ".json"));
}

/* A pipe that is read slowly takes a part at a time. */
static void all_is_written_in_however_many_parts(void **state)
{
        enum { LENGTH = 1 << 20 };
        _cleanup_(freep) unsigned char *sent = xmalloc(LENGTH), *got = xmalloc(LENGTH);
        size_t length = 0;
        int ends[2], status;
        pid_t pid;

        for (size_t i = 0; i < LENGTH; i++)
                sent[i] = (unsigned char)(i * 7 + i / 4096);
        assert_int_equal(pipe(ends), 0);
        pid = fork();
        if (pid == 0) {
                close(ends[0]);
                _exit(write_all(ends[1], sent, LENGTH) == 0 ? 0 : 1);
        }
        close(ends[1]);
        for (ssize_t part; length < LENGTH && (part = read(ends[0], got + length, 5000)) > 0;)
                length += (size_t)part;
        close(ends[0]);
        assert_int_equal(length, LENGTH);
        assert_memory_equal(got, sent, LENGTH);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void what_cannot_be_written_says_why(void **state)
{
        _cleanup_(closep) int reading = open("/dev/null", O_RDONLY | O_CLOEXEC);

        errno = 0;
        assert_int_equal(write_all(reading, "text", 4), -1);
        assert_int_equal(errno, EBADF);
        assert_int_equal(write_all(reading, "", 0), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_allocation_of_nothing_can_be_freed),
                cmocka_unit_test(xcalloc_gives_zeroes),
                cmocka_unit_test(xrealloc_keeps_what_was_there),
                cmocka_unit_test(a_product_that_overflows_ends_the_program),
                cmocka_unit_test(copies_are_ended_by_nul),
                cmocka_unit_test(xstrndup_reads_no_byte_behind_the_length),
                cmocka_unit_test(formatted_texts_have_no_limit),
                cmocka_unit_test(take_ptr_leaves_null_behind),
                cmocka_unit_test(take_fd_leaves_no_descriptor_behind),
                cmocka_unit_test(closep_closes_and_keeps_errno),
                cmocka_unit_test(fclosep_closes_a_stream_and_takes_none),
                cmocka_unit_test(set_string_frees_what_was_there),
                cmocka_unit_test(texts_are_compared_with_null_as_a_value),
                cmocka_unit_test(beginnings_and_ends_are_found),
                cmocka_unit_test(all_is_written_in_however_many_parts),
                cmocka_unit_test(what_cannot_be_written_says_why),
        };

        return cmocka_run_group_tests_name("lib/util", tests, NULL, NULL);
}
