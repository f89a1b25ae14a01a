/* The side of `machine`: what it says when machine-net does as asked, refuses, is silent, or isn't there. */
#include "scratch.h"

#include "check.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "qemu/net-control.h"

#define WAIT_MS 10000

/* Listens in the scratch folder. The caller closes it. */
static int listen_at(const char *folder, char **path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        *path = path_join(folder, "control");
        assert_true(strlen(*path) < sizeof(address.sun_path));
        memcpy(address.sun_path, *path, strlen(*path));
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 4), 0);
        return fd;
}

/* For a child: takes one request, which must be `word`, with a descriptor or without. Answers with `length` bytes of `reply`.
 */
static void serve(int listener, const char *word, bool with_fd, const void *reply, size_t length)
{
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(sizeof(int))];
        } beside = { 0 };
        struct net_request request, wanted = { 0 };
        struct iovec part = { .iov_base = &request, .iov_len = sizeof(request) };
        struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.room, .msg_controllen = sizeof(beside.room)
        };
        int fd = accept(listener, NULL, NULL);

        memcpy(wanted.word, word, strlen(word));
        if (fd < 0 || recvmsg(fd, &message, 0) != (ssize_t)sizeof(request) || memcmp(&request, &wanted, sizeof(request)) != 0 ||
            (CMSG_FIRSTHDR(&message) != NULL) != with_fd)
                _exit(1);
        if (length > 0 && send(fd, reply, length, 0) != (ssize_t)length)
                _exit(2);
        _exit(0);
}

static void assert_served(pid_t pid)
{
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void the_answer_is_handed_on(void **state)
{
        const struct net_reply reply = {
                .held = 1, .near_bytes = 5, .far_bytes = 6, .near_open = 7, .far_open = 8, .moved_ms = 9
        };
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int listener = listen_at(*state, &path);
        struct net_reply got;
        pid_t pid = fork_child();

        if (pid == 0)
                serve(listener, "hold", false, &reply, sizeof(reply));
        assert_int_equal(net_control_call(path, "hold", -1, deadline_in(WAIT_MS), &got, NULL), 0);
        assert_memory_equal(&got, &reply, sizeof(reply));
        assert_served(pid);
}

static void a_descriptor_goes_along(void **state)
{
        const struct net_reply reply = { 0 };
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int listener = listen_at(*state, &path);
        struct net_reply got;
        pid_t pid = fork_child();

        if (pid == 0)
                serve(listener, "go", true, &reply, sizeof(reply));
        assert_int_equal(net_control_call(path, "go", STDIN_FILENO, deadline_in(WAIT_MS), &got, NULL), 0);
        assert_served(pid);
}

static void a_no_has_its_reason(void **state)
{
        const struct net_reply reply = { .status = EBUSY, .far_open = 3 };
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int listener = listen_at(*state, &path);
        struct net_reply got;
        pid_t pid = fork_child();

        if (pid == 0)
                serve(listener, "go", false, &reply, sizeof(reply));
        assert_int_equal(net_control_call(path, "go", -1, deadline_in(WAIT_MS), &got, &err), -1);
        assert_error(err, ERROR_ENGINE, "the network process refuses 'go': Device or resource busy");
        assert_int_equal(err->number, EBUSY);
        assert_int_equal(got.far_open, 3);
        assert_served(pid);
}

static void half_an_answer_is_none(void **state)
{
        const struct net_reply reply = { 0 };
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int listener = listen_at(*state, &path);
        struct net_reply got;
        pid_t pid = fork_child();

        if (pid == 0)
                serve(listener, "look", false, &reply, 4);
        assert_int_equal(net_control_call(path, "look", -1, deadline_in(WAIT_MS), &got, &err), -1);
        assert_error(err, ERROR_ENGINE, "the network process doesn't do 'look': there is no answer");
        assert_served(pid);
}

static void one_that_ends_without_an_answer_is_noticed(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int listener = listen_at(*state, &path);
        struct net_reply got;
        pid_t pid = fork_child();

        if (pid == 0)
                serve(listener, "look", false, NULL, 0);
        assert_int_equal(net_control_call(path, "look", -1, deadline_in(WAIT_MS), &got, &err), -1);
        assert_error(err, ERROR_ENGINE, "the network process doesn't do 'look': there is no answer");
        assert_served(pid);
}

static void one_that_is_silent_has_its_limit(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = NULL;
        int listener = listen_at(*state, &path);
        struct net_reply got;

        assert_int_equal(net_control_call(path, "look", -1, deadline_in(100), &got, &err), -1);
        assert_error(err, ERROR_ENGINE, "the network process doesn't do 'look': there is no answer in time");
        close(listener);
}

static void nobody_there_is_told_apart(void **state)
{
        _cleanup_(error_freep) struct error *none = NULL, *left = NULL, *file = NULL;
        _cleanup_(freep) char *path = NULL;
        struct net_reply got;
        int listener;

        path = path_join(*state, "control");
        assert_int_equal(net_control_call(path, "look", -1, deadline_in(WAIT_MS), &got, &none), -1);
        assert_int_equal(none->kind, ERROR_NOT_FOUND);
        free(TAKE_PTR(path));
        listener = listen_at(*state, &path);
        close(listener);
        assert_int_equal(net_control_call(path, "look", -1, deadline_in(WAIT_MS), &got, &left), -1);
        assert_int_equal(left->kind, ERROR_NOT_FOUND);
        assert_int_equal(unlink(path), 0);
        scratch_write(path, "a file\n");
        assert_int_equal(net_control_call(path, "look", -1, deadline_in(WAIT_MS), &got, &file), -1);
        assert_int_equal(file->kind, ERROR_ENGINE);
}

static void a_path_may_be_longer_than_an_address(void **state)
{
        const struct net_reply reply = { .near_open = 1 };
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int listener = listen_at(*state, &path);
        _cleanup_(freep) char *folder = xasprintf("%s/%0150d", (const char *)*state, 0);
        _cleanup_(freep) char *longer = path_join(folder, "control");
        struct net_reply got;
        pid_t pid;

        assert_int_equal(mkdir(folder, 0700), 0);
        assert_int_equal(rename(path, longer), 0);
        pid = fork_child();
        if (pid == 0)
                serve(listener, "look", false, &reply, sizeof(reply));
        assert_int_equal(net_control_call(longer, "look", -1, deadline_in(WAIT_MS), &got, NULL), 0);
        assert_int_equal(got.near_open, 1);
        assert_served(pid);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(the_answer_is_handed_on),
                TEST(a_descriptor_goes_along),
                TEST(a_no_has_its_reason),
                TEST(half_an_answer_is_none),
                TEST(one_that_ends_without_an_answer_is_noticed),
                TEST(one_that_is_silent_has_its_limit),
                TEST(nobody_there_is_told_apart),
                TEST(a_path_may_be_longer_than_an_address),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
