/* Unix sockets of somebody we don't trust: no link is followed, and the kernel says who listens. */
#include "scratch.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qemu/socket.h"

static int listen_at(const char *path, int queue)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_true(strlen(path) < sizeof(address.sun_path));
        memcpy(address.sun_path, path, strlen(path));
        unlink(path);
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, queue), 0);
        return fd;
}

static void expect_refusal(const char *path, enum error_kind kind)
{
        _cleanup_(error_freep) struct error *err = NULL;
        int fd = -7;

        assert_int_equal(socket_connect(path, deadline_in(100), &fd, &err), -1);
        assert_int_equal(err->kind, kind);
        assert_int_equal(fd, -7);
}

static void a_listener_is_reached_and_named(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "there.sock");
        _cleanup_(closep) _unused_ int listener = listen_at(path, 4);
        _cleanup_(closep) int fd = -1;
        _cleanup_(closep) int process = -1;
        pid_t pid = 0;

        assert_int_equal(socket_connect(path, deadline_in(1000), &fd, NULL), 0);
        assert_int_equal(socket_listener(path, deadline_in(1000), &process, &pid, NULL), 0);
        assert_int_equal(pid, getpid());
        assert_int_equal(socket_wait(process, POLLIN, deadline_in(0), NULL), 0);
        assert_int_equal(socket_send(fd, "hello", 5, deadline_in(1000), NULL), 0);
}

static void nobody_there_is_not_found(void **state)
{
        _cleanup_(freep) char *missing = path_join(*state, "missing.sock");
        _cleanup_(freep) char *left = path_join(*state, "left.sock");
        int listener = listen_at(left, 4);

        close(listener);
        expect_refusal(missing, ERROR_NOT_FOUND);
        expect_refusal(left, ERROR_NOT_FOUND);
}

static void a_link_to_a_socket_is_not_followed(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "agent.sock");
        _cleanup_(freep) char *link = path_join(*state, "link.sock");
        _cleanup_(closep) _unused_ int listener = listen_at(path, 4);

        assert_int_equal(symlink(path, link), 0);
        expect_refusal(link, ERROR_ENGINE);
        assert_int_equal(socket_wait(listener, POLLIN, deadline_in(0), NULL), 0);
}

static void what_is_no_socket_is_said_to_be_none(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "file");

        scratch_write(path, "");
        expect_refusal(path, ERROR_ENGINE);
        expect_refusal(*state, ERROR_ENGINE);
}

static void a_listener_that_takes_nobody_is_given_up(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "busy.sock");
        _cleanup_(closep) _unused_ int listener = listen_at(path, 0);
        _cleanup_(closep) int first = -1;
        int64_t begun = now_ms();

        assert_int_equal(socket_connect(path, deadline_in(1000), &first, NULL), 0);
        expect_refusal(path, ERROR_ENGINE);
        assert_in_range(now_ms() - begun, 90, 900);
}

static void a_reader_that_does_not_read_is_given_up(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "deaf.sock");
        _cleanup_(freep) char *block = xcalloc(1, 8 << 20);
        _cleanup_(closep) _unused_ int listener = listen_at(path, 4);
        _cleanup_(closep) int fd = -1;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(socket_connect(path, deadline_in(1000), &fd, NULL), 0);
        assert_int_equal(socket_send(fd, block, 8 << 20, deadline_in(100), &err), -1);
        assert_string_equal(err->message, "cannot send: the other end does not read");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_listener_is_reached_and_named),
                cmocka_unit_test(nobody_there_is_not_found),
                cmocka_unit_test(a_link_to_a_socket_is_not_followed),
                cmocka_unit_test(what_is_no_socket_is_said_to_be_none),
                cmocka_unit_test(a_listener_that_takes_nobody_is_given_up),
                cmocka_unit_test(a_reader_that_does_not_read_is_given_up),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
