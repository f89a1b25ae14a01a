/* A log that a guest fills: its size has a limit, and its beginning and end can be read. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/capped-log.h"
#include "lib/file.h"

#define HEAD 1000
#define MOST 5000

static char path[] = "/tmp/machine-log.XXXXXX";
static int fd;

static int set_up(void **state)
{
        fd = mkstemp(path);
        return fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
        close(fd);
        return unlink(path);
}

/* Lines "1", "2", … of eight bytes each. */
static void write_lines(struct capped_log *log, int from, int to)
{
        for (int i = from; i < to; i++) {
                _cleanup_(freep) char *line = xasprintf("%07d\n", i);

                assert_int_equal(capped_log_write(log, line, 8, NULL), 0);
        }
}

static void read_all(struct strbuf *text)
{
        assert_int_equal(file_read(path, 1 << 20, text, NULL), 0);
}

static void what_fits_is_all_there(void **state)
{
        struct capped_log log = CAPPED_LOG_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        assert_int_equal(capped_log_open(&log, fd, HEAD, MOST, NULL), 0);
        write_lines(&log, 0, MOST / 8);
        read_all(&text);
        assert_int_equal(text.len, MOST);
        assert_null(strstr(text.buf, "left out"));
        assert_int_equal(log.left_out, 0);
}

static void a_flood_stays_below_the_limit_and_keeps_the_beginning_and_the_end(void **state)
{
        struct capped_log log = CAPPED_LOG_INIT;
        struct stat status;

        assert_int_equal(capped_log_open(&log, fd, HEAD, MOST, NULL), 0);
        for (int round = 0; round < 100; round++) {
                _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
                _cleanup_(freep) char *last = xasprintf("%07d\n", (round + 1) * 1000 - 1);

                write_lines(&log, round * 1000, (round + 1) * 1000);
                assert_int_equal(fstat(fd, &status), 0);
                assert_in_range(status.st_size, HEAD, MOST);
                read_all(&text);
                assert_int_equal(text.len, log.size);
                assert_memory_equal(text.buf, "0000000\n0000001\n", 16);
                assert_true(ends_with(text.buf, last));
                /* At least this much of the end is there. */
                assert_true(text.len >= HEAD + (MOST - HEAD) / 2);
        }
}

static void what_is_left_out_is_counted_to_the_byte(void **state)
{
        struct capped_log log = CAPPED_LOG_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        const char *mark;

        assert_int_equal(capped_log_open(&log, fd, HEAD, MOST, NULL), 0);
        write_lines(&log, 0, 20000);
        read_all(&text);
        mark = strstr(text.buf, "\n[");
        assert_non_null(mark);
        assert_ptr_equal(mark, text.buf + HEAD);
        assert_int_equal(strtol(mark + 2, NULL, 10), log.left_out);
        mark = strstr(mark, "here]\n");
        assert_non_null(mark);
        mark += strlen("here]\n");
        assert_int_equal(HEAD + log.left_out + (int64_t)strlen(mark), 20000 * 8);
}

static void one_piece_larger_than_all_of_it_is_taken(void **state)
{
        struct capped_log log = CAPPED_LOG_INIT;
        size_t length = 10 * MOST + 3;
        _cleanup_(freep) char *data = xmalloc(length);

        memset(data, 'x', length);
        assert_int_equal(capped_log_open(&log, fd, 0, MOST, NULL), 0);
        assert_int_equal(capped_log_write(&log, data, length, NULL), 0);
        assert_in_range(log.size, MOST / 2, MOST);
}

static void a_limit_that_leaves_no_room_is_refused(void **state)
{
        struct capped_log log = CAPPED_LOG_INIT;

        assert_int_equal(capped_log_open(&log, fd, HEAD, HEAD, NULL), -1);
        assert_int_equal(capped_log_open(&log, fd, -1, MOST, NULL), -1);
}

static void a_log_that_can_not_be_written_says_so(void **state)
{
        struct capped_log log = CAPPED_LOG_INIT;
        _cleanup_(closep) int read_only = open(path, O_RDONLY | O_CLOEXEC);

        assert_int_equal(capped_log_open(&log, read_only, HEAD, MOST, NULL), -1);
        log = (struct capped_log){ .fd = read_only, .head = HEAD, .most = MOST };
        assert_int_equal(capped_log_write(&log, "x", 1, NULL), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_fits_is_all_there),
                cmocka_unit_test(a_flood_stays_below_the_limit_and_keeps_the_beginning_and_the_end),
                cmocka_unit_test(what_is_left_out_is_counted_to_the_byte),
                cmocka_unit_test(one_piece_larger_than_all_of_it_is_taken),
                cmocka_unit_test(a_limit_that_leaves_no_room_is_refused),
                cmocka_unit_test(a_log_that_can_not_be_written_says_so),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
