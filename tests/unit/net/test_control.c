/* What the supervisor takes for a request, and what it refuses; over lib/net-control.h, which `machine` uses. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/file.h"
#include "net/control.h"
#include "net/message.h"

struct place {
        char folder[32];
        char *path;
        int listener;
        struct control control;
};

static int make_place(void **state)
{
        struct place *place = xcalloc(1, sizeof(*place));
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        *state = place;
        memcpy(place->folder, "/tmp/machine-ctrl-XXXXXX", sizeof("/tmp/machine-ctrl-XXXXXX"));
        if (!mkdtemp(place->folder))
                return -1;
        place->path = path_join(place->folder, "net.control");
        place->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        memcpy(address.sun_path, place->path, strlen(place->path));
        if (bind(place->listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(place->listener, 4) < 0)
                return -1;
        place->control = (struct control)CONTROL_INIT;
        return control_open(&place->control, place->listener, NULL);
}

static int free_place(void **state)
{
        struct place *place = *state;

        closep(&place->control.client);
        closep(&place->listener);
        file_remove(place->folder, NULL);
        free(place->path);
        free(place);
        return 0;
}

static int connect_to(const struct place *place)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, place->path, strlen(place->path));
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

/* Sends these bytes, has the supervisor's end take them, and returns what that made of them. */
static enum control_word ask(struct place *place, const void *data, size_t length, int fd, int *client, int *wire)
{
        *client = connect_to(place);
        assert_int_equal(message_send(*client, data, length, fd), 0);
        return control_take(&place->control, wire);
}

static void assert_refused(struct place *place, const void *data, size_t length, int fd, int reason)
{
        struct net_reply reply;
        int client, wire;

        assert_int_equal(ask(place, data, length, fd, &client, &wire), CONTROL_NONE);
        assert_int_equal(wire, -1);
        assert_int_equal(place->control.client, -1);
        assert_int_equal(message_receive(client, &reply, sizeof(reply), NULL), sizeof(reply));
        assert_int_equal(reply.status, reason);
        close(client);
}

static void each_word_is_known(void **state)
{
        static const struct {
                struct net_request request;
                enum control_word word;
        } known[] = { { { "hold" }, CONTROL_HOLD }, { { "go" }, CONTROL_GO }, { { "look" }, CONTROL_LOOK } };
        struct place *place = *state;

        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
                struct net_reply reply;
                int client, wire;

                assert_int_equal(ask(place, &known[i].request, sizeof(known[i].request), -1, &client, &wire), known[i].word);
                assert_int_equal(wire, -1);
                assert_int_equal(control_fd(&place->control), place->control.client);
                control_answer(&place->control, &(struct net_reply){ .held = 1, .far_open = (uint32_t)i });
                assert_int_equal(control_fd(&place->control), place->listener);
                assert_int_equal(message_receive(client, &reply, sizeof(reply), NULL), sizeof(reply));
                assert_int_equal(reply.far_open, i);
                close(client);
        }
}

static void what_is_no_request_is_refused(void **state)
{
        struct place *place = *state;

        assert_refused(place, "hold", 4, -1, EBADMSG);
        assert_refused(place, "holdhold", 8, -1, EBADMSG);
        assert_refused(place, "hold\0\0\0x", 8, -1, EBADMSG);
        assert_refused(place, "HOLD\0\0\0", 8, -1, EBADMSG);
        assert_refused(place, "\0\0\0\0\0\0\0", 8, -1, EBADMSG);
        assert_refused(place, "hold\0\0\0\0\0", 9, -1, EBADMSG);
}

static void only_a_stream_to_qemu_is_taken_and_only_to_go_on(void **state)
{
        struct place *place = *state;
        int pair[2], messages[2], ends[2], wire, client;
        _cleanup_(closep) int unconnected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        _cleanup_(closep) int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, messages), 0);
        assert_int_equal(pipe(ends), 0);
        assert_refused(place, "go\0\0\0\0\0", 8, ends[0], EINVAL);
        assert_refused(place, "go\0\0\0\0\0", 8, messages[0], EINVAL);
        assert_refused(place, "go\0\0\0\0\0", 8, unconnected, EINVAL);
        assert_refused(place, "go\0\0\0\0\0", 8, tcp, EINVAL);
        assert_refused(place, "go\0\0\0\0\0", 8, place->listener, EINVAL);
        assert_refused(place, "hold\0\0\0", 8, pair[0], EINVAL);
        assert_refused(place, "look\0\0\0", 8, pair[0], EINVAL);
        assert_int_equal(ask(place, "go\0\0\0\0\0", 8, pair[0], &client, &wire), CONTROL_GO);
        assert_int_equal(write(pair[1], "x", 1), 1);
        assert_int_equal(read(wire, &(char){ 0 }, 1), 1);
        for (size_t i = 0; i < 2; i++) {
                close(pair[i]);
                close(messages[i]);
                close(ends[i]);
        }
        close(wire);
        close(client);
}

static void one_that_says_nothing_is_not_waited_for(void **state)
{
        struct place *place = *state;
        int client = connect_to(place);
        int wire;

        assert_int_equal(control_take(&place->control, &wire), CONTROL_NONE);
        assert_true(place->control.client >= 0);
        assert_true(control_due(&place->control) != DEADLINE_NEVER);
        place->control.until = deadline_in(0);
        assert_int_equal(control_take(&place->control, &wire), CONTROL_NONE);
        assert_int_equal(place->control.client, -1);
        assert_int_equal(control_due(&place->control), DEADLINE_NEVER);
        assert_int_equal(control_take(&place->control, &wire), CONTROL_NONE);
        close(client);
}

static void one_that_leaves_makes_room(void **state)
{
        struct place *place = *state;
        int client = connect_to(place);
        int wire;

        assert_int_equal(control_take(&place->control, &wire), CONTROL_NONE);
        close(client);
        assert_int_equal(control_take(&place->control, &wire), CONTROL_NONE);
        assert_int_equal(place->control.client, -1);
}

static void another_kind_of_socket_is_no_control(void **state)
{
        struct control control = CONTROL_INIT;
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(control_open(&control, pair[0], NULL), -1);
        assert_int_equal(control_open(&control, STDIN_FILENO, NULL), -1);
        assert_int_equal(control_fd(&control), -1);
        close(pair[0]);
        close(pair[1]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_place, free_place)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(each_word_is_known),
                TEST(what_is_no_request_is_refused),
                TEST(only_a_stream_to_qemu_is_taken_and_only_to_go_on),
                TEST(one_that_says_nothing_is_not_waited_for),
                TEST(one_that_leaves_makes_room),
                TEST(another_kind_of_socket_is_no_control),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
