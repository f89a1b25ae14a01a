/* The log of refusals. It is standard error, so each test redirects that to its own file. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/file.h"
#include "net/log.h"
#include "packets.h"

struct place {
        char folder[32];
        char *path, *old_path;
        int real_stderr;
        struct log log;
};

static int make_place(void **state)
{
        struct place *place = xcalloc(1, sizeof(*place));

        *state = place;
        place->real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
        memcpy(place->folder, "/tmp/machine-log-XXXXXX", sizeof("/tmp/machine-log-XXXXXX"));
        if (place->real_stderr < 0 || !mkdtemp(place->folder))
                return -1;
        place->path = path_join(place->folder, "net.log");
        place->old_path = path_join(place->folder, "net.log.1");
        return log_open(&place->log, place->path, NULL);
}

static int free_place(void **state)
{
        struct place *place = *state;

        dup2(place->real_stderr, STDERR_FILENO);
        close(place->real_stderr);
        closep(&place->log.old_fd);
        file_remove(place->folder, NULL);
        free(place->path);
        free(place->old_path);
        free(place);
        return 0;
}

static struct packet packet_to(const char *address, uint8_t protocol, uint16_t port)
{
        return (struct packet){ .destination = test_address(address), .protocol = protocol, .destination_port = port };
}

/* The log's lines without their times. Owned by the caller. */
static char *read_lines(const char *path)
{
        _cleanup_(strbuf_clear) struct strbuf whole = STRBUF_INIT;
        struct strbuf lines = STRBUF_INIT;
        char *rest, *line;

        assert_int_equal(file_read(path, 16 << 20, &whole, NULL), 0);
        for (rest = whole.buf; (line = strsep(&rest, "\n")) && *line;) {
                struct tm time = { 0 };
                const char *text = strptime(line, "%Y-%m-%dT%H:%M:%SZ ", &time);

                assert_non_null(text);
                strbuf_addf(&lines, "%s\n", text);
        }
        return strbuf_take(&lines);
}

static void assert_lines(const struct place *place, const char *wanted)
{
        _cleanup_(freep) char *lines = read_lines(place->path);

        assert_string_equal(lines, wanted);
}

static void a_line_names_what_was_refused_and_why(void **state)
{
        struct place *place = *state;
        const struct packet tcp = packet_to("192.168.1.1", IPPROTO_TCP, 443);
        const struct packet icmp = packet_to("169.254.169.254", IPPROTO_ICMP, 0);
        const struct packet sctp = packet_to("1.2.3.4", 132, 0);

        log_refused(&place->log, &tcp, "private");
        log_refused(&place->log, &icmp, "metadata");
        log_refused(&place->log, &sctp, "protocol");
        assert_lines(place, "tcp 192.168.1.1 443 private\nicmp 169.254.169.254 - metadata\nip-132 1.2.3.4 - protocol\n");
}

static void a_note_is_one_line_and_harmless(void **state)
{
        struct place *place = *state;

        log_note(&place->log, "the %s ended\n\033[2J", "worker");
        assert_lines(place, "note the worker ended\\x0a\\x1b[2J\n");
}

static void a_destination_is_named_once(void **state)
{
        struct place *place = *state;
        const struct packet one = packet_to("192.168.1.1", IPPROTO_TCP, 443);
        const struct packet other = packet_to("192.168.1.1", IPPROTO_UDP, 443);

        log_refused(&place->log, &one, "private");
        log_refused(&place->log, &one, "private");
        log_refused(&place->log, &other, "private");
        log_refused(&place->log, &one, "private");
        assert_lines(place, "tcp 192.168.1.1 443 private\nudp 192.168.1.1 443 private\n");
}

static void a_flood_is_counted_instead_of_listed(void **state)
{
        struct place *place = *state;
        _cleanup_(freep) char *lines = NULL;
        unsigned count = 0;

        for (uint16_t port = 1; port <= 1000; port++) {
                const struct packet packet = packet_to("192.168.1.1", IPPROTO_TCP, port);

                log_refused(&place->log, &packet, "private");
        }
        /* As if seconds had passed. */
        place->log.filled -= 2000;
        log_note(&place->log, "end");
        lines = read_lines(place->path);
        for (const char *at = lines; *at; at++)
                count += *at == '\n';
        assert_in_range(count, 40, 80);
        assert_true(strstr(lines, " more lines are left out\nnote end\n") != NULL);
}

static void a_full_file_becomes_the_old_one(void **state)
{
        struct place *place = *state;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf whole = STRBUF_INIT;

        while (text.len < LOG_MOST / 2)
                strbuf_adds(&text, "0123456789");
        for (int i = 0; i < 4; i++) {
                log_note(&place->log, "%d %s", i, text.buf);
                assert_int_equal(file_read(place->path, LOG_MOST, &whole, NULL), 0);
                strbuf_reset(&whole);
        }
        assert_int_equal(file_read(place->path, LOG_MOST, &whole, NULL), 0);
        assert_true(strstr(whole.buf, "Z note 3 0123") != NULL);
        assert_true(strstr(whole.buf, "Z note 2 0123") == NULL);
        strbuf_reset(&whole);
        assert_int_equal(file_read(place->old_path, LOG_MOST, &whole, NULL), 0);
        assert_true(strstr(whole.buf, "Z note 2 0123") != NULL);
        assert_true(strstr(whole.buf, "Z note 1 0123") == NULL);
}

static void a_log_that_is_there_is_gone_on_with(void **state)
{
        struct place *place = *state;
        struct log again;

        log_note(&place->log, "one");
        assert_int_equal(log_open(&again, place->path, NULL), 0);
        log_note(&again, "two");
        close(again.old_fd);
        assert_lines(place, "note one\nnote two\n");
}

static void a_log_that_can_not_be_written_is_an_error(void **state)
{
        struct place *place = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *link_path = path_join(place->folder, "link");
        struct log other;

        assert_int_equal(symlink("net.log", link_path), 0);
        assert_int_equal(log_open(&other, link_path, &error), -1);
        assert_non_null(error);
}

#define PLACE_TEST(function) cmocka_unit_test_setup_teardown(function, make_place, free_place)

int main(void)
{
        const struct CMUnitTest tests[] = {
                PLACE_TEST(a_line_names_what_was_refused_and_why),
                PLACE_TEST(a_note_is_one_line_and_harmless),
                PLACE_TEST(a_destination_is_named_once),
                PLACE_TEST(a_flood_is_counted_instead_of_listed),
                PLACE_TEST(a_full_file_becomes_the_old_one),
                PLACE_TEST(a_log_that_is_there_is_gone_on_with),
                PLACE_TEST(a_log_that_can_not_be_written_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
