/*
 * Downloads by the real curl from the test's own server, which answers one request with a fixed text. https URLs are mapped to
 * it, as to a company's mirror.
 */
#include "host/download.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/paths.h"
#include "lib/file.h"
#include "lib/hash.h"

#define TEXT "what is downloaded\n"

static char *root;
static pid_t server;
static struct strv from, to;

/* The request for "slow" is answered in two halves, with a length. */
static int answer_slowly(int fd)
{
        static const char head[] = "HTTP/1.0 200 OK\r\nConnection: close\r\ncontent-Length: 19\r\n\r\n";

        if (write(fd, head, sizeof(head) - 1) < 0 || write(fd, TEXT, 9) < 0)
                return -1;
        poll(NULL, 0, 1500);
        return write(fd, &TEXT[9], strlen(TEXT) - 9) < 0 ? -1 : 0;
}

static void serve(int listener)
{
        static const char answer[] = "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" TEXT;
        char request[4096];

        for (;;) {
                int fd = accept(listener, NULL, NULL);

                if (fd < 0)
                        _exit(1);
                if (read(fd, request, sizeof(request)) <= 0 ||
                    (starts_with(request, "GET /slow ") ? answer_slowly(fd) < 0 : write(fd, answer, sizeof(answer) - 1) < 0))
                        _exit(1);
                close(fd);
        }
}

static int start(void **state)
{
        char template[] = "/tmp/machine-download.XXXXXX";
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM, 0);

        root = xstrdup(mkdtemp(template));
        setenv("XDG_CACHE_HOME", root, 1);
        unsetenv("http_proxy");
        unsetenv("all_proxy");
        unsetenv("ALL_PROXY");
        if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 8) < 0 ||
            getsockname(listener, (struct sockaddr *)&address, &length) < 0)
                return -1;
        server = fork();
        if (server == 0)
                serve(listener);
        close(listener);
        strv_add(&from, "https://example.org/");
        strv_addf(&to, "http://127.0.0.1:%d/", ntohs(address.sin_port));
        return 0;
}

static int stop(void **state)
{
        int status = file_remove(root, NULL);

        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        strv_clear(&from);
        strv_clear(&to);
        set_string(&root, NULL);
        return status;
}

static size_t files_kept(void)
{
        _cleanup_(freep) char *folder = paths_cache("downloads");
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        assert_int_equal(file_list(folder, &names, NULL), 0);
        return names.count;
}

static int get(const char *expected, char **path, char **sha256, struct error **err)
{
        return download_get(&(struct download){ .url = "https://example.org/a",
                                                .sha256 = expected,
                                                .mirror_from = &from,
                                                .mirror_to = &to },
                            NULL, path, sha256, err);
}

static void a_download_lies_under_its_hash(void **state)
{
        _cleanup_(freep) char *wanted = hash_text(TEXT, strlen(TEXT));
        _cleanup_(freep) char *path = NULL;
        _cleanup_(freep) char *sha256 = NULL;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        assert_int_equal(get(NULL, &path, &sha256, NULL), 0);
        assert_string_equal(sha256, wanted);
        assert_true(ends_with(path, wanted));
        assert_int_equal(file_read(path, 1000, &text, NULL), 0);
        assert_string_equal(text.buf, TEXT);
        assert_int_equal(files_kept(), 1);
}

static void what_is_cached_needs_no_server(void **state)
{
        _cleanup_(freep) char *wanted = hash_text(TEXT, strlen(TEXT));
        char *path = NULL, *sha256 = NULL;

        assert_int_equal(get(wanted, &path, &sha256, NULL), 0);
        free(path);
        free(sha256);
        kill(server, SIGKILL);
        assert_int_equal(get(wanted, &path, &sha256, NULL), 0);
        assert_string_equal(sha256, wanted);
        free(path);
        free(sha256);
}

static void a_changed_cache_is_not_used(void **state)
{
        _cleanup_(freep) char *wanted = hash_text(TEXT, strlen(TEXT));
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        char *path = NULL, *sha256 = NULL;

        assert_int_equal(get(wanted, &path, &sha256, NULL), 0);
        assert_int_equal(file_write_text(path, "something else", 0600, NULL), 0);
        free(path);
        free(sha256);
        assert_int_equal(get(wanted, &path, &sha256, NULL), 0);
        assert_int_equal(file_read(path, 1000, &text, NULL), 0);
        assert_string_equal(text.buf, TEXT);
        free(path);
        free(sha256);
}

static void another_hash_is_an_error_that_has_both_and_keeps_nothing(void **state)
{
        _cleanup_(freep) char *really = hash_text(TEXT, strlen(TEXT));
        _cleanup_(freep) char *wanted = hash_text("x", 1);
        _cleanup_(error_freep) struct error *error = NULL;
        char *path = NULL, *sha256 = NULL;

        assert_int_equal(get(wanted, &path, &sha256, &error), -1);
        assert_non_null(strstr(error->message, "' has sha256 "));
        assert_non_null(strstr(error->message, really));
        assert_non_null(strstr(error->message, wanted));
        assert_non_null(strstr(error->message, "http://127.0.0.1:"));
        assert_non_null(strstr(error->hint, "machine lock --update"));
        assert_int_equal(files_kept(), 0);
}

static void more_bytes_than_allowed_are_an_error(void **state)
{
        _cleanup_(error_freep) struct error *error = NULL;
        char *path = NULL, *sha256 = NULL;

        assert_int_equal(download_get(&(struct download){ .url = "https://example.org/a",
                                                          .mirror_from = &from,
                                                          .mirror_to = &to,
                                                          .bytes_most = 4 },
                                      NULL, &path, &sha256, &error),
                         -1);
        assert_int_equal(files_kept(), 0);
}

/* curl is played by a script that says what curl 8 says; a TLS server would say no more. */
static void a_ca_that_this_computer_does_not_trust_is_said_in_one_line(void **state)
{
        static const char curl[] = "#!/bin/sh\ncat >&2 <<'END'\n"
                                   "curl: (60) SSL certificate problem: unable to get local issuer certificate\n"
                                   "More details here: https://curl.se/docs/sslcerts.html\n\n"
                                   "curl failed to verify the legitimacy of the server and therefore could not\n"
                                   "establish a secure connection to it.\nEND\nexit 60\n";
        _cleanup_(freep) char *program = path_join(root, "curl");
        _cleanup_(freep) char *before = xstrdup(getenv("PATH"));
        _cleanup_(freep) char *path_variable = xasprintf("%s:%s", root, before);
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *text = NULL;
        char *path = NULL, *sha256 = NULL;

        assert_int_equal(file_write_text(program, curl, 0700, NULL), 0);
        setenv("PATH", path_variable, 1);
        assert_int_equal(get(NULL, &path, &sha256, &error), -1);
        setenv("PATH", before, 1);
        text = error_text(error);
        assert_true(ends_with(text,
                              "'curl' failed with exit status 60: curl: (60) SSL certificate problem: unable to get local "
                              "issuer certificate"));
        assert_non_null(strstr(error->hint, "this computer does not trust the CA that signed this"));
        assert_non_null(strstr(error->hint, "trust_host_ca = true"));
}

static void a_server_that_is_not_there_is_worth_another_try(void **state)
{
        _cleanup_(error_freep) struct error *error = NULL;
        char *path = NULL, *sha256 = NULL;

        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        assert_int_equal(get(NULL, &path, &sha256, &error), -1);
        error_again(&error, "machine up blog");
        assert_non_null(error->hint);
        assert_non_null(strstr(error->hint, "machine up blog goes on from where it stopped, and what came whole is kept"));
}

static void plain_http_is_for_mirrors_only(void **state)
{
        _cleanup_(freep) char *url = xasprintf("%sa", to.items[0]);
        _cleanup_(error_freep) struct error *error = NULL;
        char *path = NULL, *sha256 = NULL;

        assert_int_equal(download_get(&(struct download){ .url = url }, NULL, &path, &sha256, &error), -1);
}

struct heard {
        struct event_sink sink;
        unsigned progress;
        int64_t done, whole;
};

static void handle(struct event_sink *sink, const struct event *event)
{
        struct heard *heard = (struct heard *)sink;

        if (event->type != EVENT_PROGRESS)
                return;
        heard->progress++;
        heard->done = event->done;
        heard->whole = event->whole;
}

static void how_far_it_is_is_told_where_the_server_says_how_long_it_is(void **state)
{
        struct heard heard = { .sink = { .handle = handle } };
        _cleanup_(freep) char *path = NULL;
        _cleanup_(freep) char *sha256 = NULL;

        assert_int_equal(
                download_get(&(struct download){ .url = "https://example.org/slow", .mirror_from = &from, .mirror_to = &to },
                             &heard.sink, &path, &sha256, NULL),
                0);
        assert_true(heard.progress > 0);
        assert_int_equal(heard.whole, strlen(TEXT));
        assert_true(heard.done <= heard.whole);
        assert_int_equal(files_kept(), 1);
}

static void the_longest_prefix_counts(void **state)
{
        _cleanup_(strv_clear) struct strv prefixes = STRV_INIT;
        _cleanup_(strv_clear) struct strv mirrors = STRV_INIT;
        _cleanup_(freep) char *one = NULL;
        _cleanup_(freep) char *none = NULL;

        strv_adds(&prefixes, "https://example.org/", "https://example.org/a/", NULL);
        strv_adds(&mirrors, "https://m/1/", "https://m/2/", NULL);
        one = download_source(
                &(struct download){ .url = "https://example.org/a/b", .mirror_from = &prefixes, .mirror_to = &mirrors });
        none = download_source(
                &(struct download){ .url = "https://other.org/a", .mirror_from = &prefixes, .mirror_to = &mirrors });
        assert_string_equal(one, "https://m/2/b");
        assert_string_equal(none, "https://other.org/a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(a_download_lies_under_its_hash),
                TEST(what_is_cached_needs_no_server),
                TEST(a_changed_cache_is_not_used),
                TEST(another_hash_is_an_error_that_has_both_and_keeps_nothing),
                TEST(more_bytes_than_allowed_are_an_error),
                TEST(a_ca_that_this_computer_does_not_trust_is_said_in_one_line),
                TEST(a_server_that_is_not_there_is_worth_another_try),
                TEST(plain_http_is_for_mirrors_only),
                TEST(how_far_it_is_is_told_where_the_server_says_how_long_it_is),
                TEST(the_longest_prefix_counts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
