/* Sockets by their paths: a listener is found, the socket of a dead one is replaced, a path that is too long is refused. */
#include "scratch.h"

#include "check.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/file.h"
#include "lib/unix-socket.h"

static void a_listener_is_found_by_its_path(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "socket");
        _cleanup_(closep) int listener = unix_socket_listen(path);
        _cleanup_(closep) int client = unix_socket_connect(path);
        _cleanup_(closep) int taken = accept(listener, NULL, NULL);

        assert_true(listener >= 0 && client >= 0 && taken >= 0);
        assert_int_equal(scratch_mode(path), 0600);
        assert_int_equal(write(client, "x", 1), 1);
        assert_int_equal(read(taken, &(char){ 0 }, 1), 1);
}

static void what_a_dead_listener_left_is_replaced(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "socket");
        int first = unix_socket_listen(path);
        _cleanup_(closep) int second = -1;

        assert_true(first >= 0);
        close(first);
        assert_true(file_exists(path));
        assert_int_equal(unix_socket_connect(path), -1);
        assert_int_equal(errno, ECONNREFUSED);
        second = unix_socket_listen(path);
        assert_true(second >= 0);
}

static void a_listener_that_accepts_nothing_is_not_waited_for_without_limit(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "socket");
        _cleanup_(closep) int listener = unix_socket_listen(path);
        int clients[16];
        size_t count = 0;

        assert_int_equal(listen(listener, 1), 0);
        while (count < ARRAY_SIZE(clients) && (clients[count] = unix_socket_connect(path)) >= 0)
                count++;
        assert_in_range(count, 1, ARRAY_SIZE(clients) - 1);
        /* macOS refuses at once. */
        assert_true(errno == EAGAIN || errno == ECONNREFUSED);
        while (count > 0)
                close(clients[--count]);
}

static void a_path_is_taken_up_to_its_limit(void **state)
{
        struct sockaddr_un address;
        char longest[sizeof(address.sun_path)];
        char longer[sizeof(address.sun_path) + 1];

        memset(longest, 'x', sizeof(longest));
        memset(longer, 'x', sizeof(longer));
        longest[sizeof(longest) - 1] = longer[sizeof(longer) - 1] = '\0';
        assert_int_equal(unix_socket_address(longest, &address), 0);
        assert_string_equal(address.sun_path, longest);
        assert_int_equal(unix_socket_address(longer, &address), -1);
        assert_int_equal(errno, ENAMETOOLONG);
        assert_int_equal(unix_socket_connect(longer), -1);
        assert_int_equal(errno, ENAMETOOLONG);
        assert_int_equal(unix_socket_listen(longer), -1);
        assert_int_equal(errno, ENAMETOOLONG);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_listener_is_found_by_its_path),
                TEST(what_a_dead_listener_left_is_replaced),
                TEST(a_listener_that_accepts_nothing_is_not_waited_for_without_limit),
                TEST(a_path_is_taken_up_to_its_limit),
        };

        return cmocka_run_group_tests_name("lib/unix-socket", tests, NULL, NULL);
}
