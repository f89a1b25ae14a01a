/* Messages with and without a descriptor, and the supervisor's words to its worker. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/channel.h"
#include "net/message.h"

struct pair {
        int ours, theirs;
};

static int make_pair(void **state)
{
        struct pair *pair = xcalloc(1, sizeof(*pair));

        *state = pair;
        return channel_make(&pair->ours, &pair->theirs, NULL);
}

static int free_pair(void **state)
{
        struct pair *pair = *state;

        closep(&pair->ours);
        closep(&pair->theirs);
        free(pair);
        return 0;
}

static int count_descriptors(void)
{
        int count = 0;

        for (int fd = 0; fd < 256; fd++)
                count += fcntl(fd, F_GETFD) >= 0;
        return count;
}

static void a_message_arrives_as_it_was(void **state)
{
        const struct pair *pair = *state;
        char text[8];
        int fd = 99;

        assert_int_equal(message_receive(pair->theirs, text, sizeof(text), &fd), -1);
        assert_int_equal(errno, EAGAIN);
        assert_int_equal(message_send(pair->ours, "hold", 4, -1), 0);
        assert_int_equal(message_receive(pair->theirs, text, sizeof(text), &fd), 4);
        assert_memory_equal(text, "hold", 4);
        assert_int_equal(fd, -1);
}

static void a_descriptor_comes_along(void **state)
{
        const struct pair *pair = *state;
        struct stat sent, got;
        char text[8];
        int ends[2], fd;

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(message_send(pair->ours, "go", 2, ends[0]), 0);
        assert_int_equal(message_receive(pair->theirs, text, sizeof(text), &fd), 2);
        assert_true(fd >= 0 && fd != ends[0]);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fstat(ends[0], &sent), 0);
        assert_int_equal(fstat(fd, &got), 0);
        assert_int_equal(sent.st_ino, got.st_ino);
        close(fd);
        close(ends[0]);
        close(ends[1]);
}

/* Two descriptors in one message, as machine-net's own side never sends them. */
static void send_two(int socket, int fd)
{
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(2 * sizeof(int))];
        } beside = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(2 * sizeof(int)) } };
        char text[] = "go";
        struct iovec part = { .iov_base = text, .iov_len = 2 };
        struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.room, .msg_controllen = sizeof(beside.room)
        };
        const int fds[] = { fd, fd };

        memcpy(CMSG_DATA(&beside.head), fds, sizeof(fds));
        assert_int_equal(sendmsg(socket, &message, 0), 2);
}

static void no_descriptor_is_left_open(void **state)
{
        const struct pair *pair = *state;
        int before = count_descriptors();
        char text[8];
        int fd;

        /* Not asked for. */
        assert_int_equal(message_send(pair->ours, "go", 2, pair->ours), 0);
        assert_int_equal(message_receive(pair->theirs, text, sizeof(text), NULL), 2);
        assert_int_equal(count_descriptors(), before);
        /* With a message that is too long. */
        assert_int_equal(message_send(pair->ours, "too long", 8, pair->ours), 0);
        assert_int_equal(message_receive(pair->theirs, text, 4, &fd), -1);
        assert_int_equal(errno, EMSGSIZE);
        assert_int_equal(fd, -1);
        assert_int_equal(count_descriptors(), before);
        /* One more than there is room for. */
        send_two(pair->ours, pair->ours);
        assert_int_equal(message_receive(pair->theirs, text, sizeof(text), &fd), 2);
        closep(&fd);
        assert_int_equal(count_descriptors(), before);
}

static void a_word_and_its_wire_reach_the_worker(void **state)
{
        const struct pair *pair = *state;
        struct channel_message message;
        int wire;

        assert_int_equal(channel_receive(pair->theirs, &message, &wire), 0);
        assert_int_equal(channel_send(pair->ours, &(struct channel_message){ .word = CHANNEL_GO, .number = 7 }, STDIN_FILENO),
                         0);
        assert_int_equal(channel_receive(pair->theirs, &message, &wire), 1);
        assert_int_equal(message.word, CHANNEL_GO);
        assert_int_equal(message.number, 7);
        assert_true(wire >= 0);
        close(wire);
}

static void what_is_no_word_ends_the_channel(void **state)
{
        struct pair *pair = *state;
        struct channel_message message;
        int before = count_descriptors();
        int wire;

        assert_int_equal(message_send(pair->ours, "x", 1, pair->ours), 0);
        assert_int_equal(channel_receive(pair->theirs, &message, &wire), -1);
        assert_int_equal(count_descriptors(), before);
        closep(&pair->ours);
        pair->ours = -1;
        assert_int_equal(channel_receive(pair->theirs, &message, &wire), -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_pair, free_pair)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_message_arrives_as_it_was),      TEST(a_descriptor_comes_along),
                TEST(no_descriptor_is_left_open),       TEST(a_word_and_its_wire_reach_the_worker),
                TEST(what_is_no_word_ends_the_channel),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
