/* Frames on a stream. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/frames.h"

struct stream {
        int ours, theirs;
        struct frames queue;
};

static int make_stream(void **state)
{
        struct stream *stream = xcalloc(1, sizeof(*stream));
        int ends[2];

        *state = stream;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return -1;
        stream->ours = ends[0];
        stream->theirs = ends[1];
        return 0;
}

static int free_stream(void **state)
{
        struct stream *stream = *state;

        closep(&stream->ours);
        closep(&stream->theirs);
        free(stream);
        return 0;
}

static void put_header(uint8_t *at, uint32_t length)
{
        at[0] = (uint8_t)(length >> 24);
        at[1] = (uint8_t)(length >> 16);
        at[2] = (uint8_t)(length >> 8);
        at[3] = (uint8_t)length;
}

static void they_send(const struct stream *stream, const void *data, size_t length)
{
        assert_int_equal(write(stream->theirs, data, length), length);
}

static void assert_next(struct stream *stream, const void *wanted, size_t wanted_length)
{
        const uint8_t *frame;
        size_t length;

        assert_int_equal(frames_next(&stream->queue, &frame, &length), 1);
        assert_int_equal(length, wanted_length);
        assert_memory_equal(frame, wanted, length);
}

static void assert_none(struct stream *stream)
{
        const uint8_t *frame;
        size_t length;

        assert_int_equal(frames_next(&stream->queue, &frame, &length), 0);
}

static void a_frame_is_whole_however_it_comes(void **state)
{
        static const uint8_t bytes[] = { 0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 0, 0, 0, 0, 1, 'd' };
        struct stream *stream = *state;

        for (size_t cut = 1; cut < sizeof(bytes); cut++) {
                memset(&stream->queue, 0, sizeof(stream->queue));
                they_send(stream, bytes, cut);
                assert_int_equal(frames_receive(&stream->queue, stream->ours), cut);
                if (cut < 7)
                        assert_none(stream);
                else
                        assert_next(stream, "abc", 3);
                if (cut >= 11)
                        assert_next(stream, "", 0);
                they_send(stream, bytes + cut, sizeof(bytes) - cut);
                assert_int_equal(frames_receive(&stream->queue, stream->ours), sizeof(bytes) - cut);
                if (cut < 7)
                        assert_next(stream, "abc", 3);
                if (cut < 11)
                        assert_next(stream, "", 0);
                assert_next(stream, "d", 1);
                assert_none(stream);
        }
}

static void an_empty_socket_is_no_end_and_a_closed_one_is(void **state)
{
        struct stream *stream = *state;

        assert_int_equal(frames_receive(&stream->queue, stream->ours), -1);
        assert_int_equal(errno, EAGAIN);
        closep(&stream->theirs);
        stream->theirs = -1;
        assert_int_equal(frames_receive(&stream->queue, stream->ours), 0);
}

static void a_length_that_no_frame_has_is_an_error(void **state)
{
        struct stream *stream = *state;
        const uint8_t *frame;
        uint8_t header[4];
        size_t length;

        put_header(header, FRAMES_LONGEST);
        they_send(stream, header, 4);
        assert_int_equal(frames_receive(&stream->queue, stream->ours), 4);
        assert_none(stream);

        memset(&stream->queue, 0, sizeof(stream->queue));
        put_header(header, FRAMES_LONGEST + 1);
        they_send(stream, header, 4);
        assert_int_equal(frames_receive(&stream->queue, stream->ours), 4);
        assert_int_equal(frames_next(&stream->queue, &frame, &length), -1);
}

static void the_longest_frame_fits_wherever_it_begins(void **state)
{
        struct stream *stream = *state;
        _cleanup_(freep) uint8_t *bytes = xcalloc(1, 4 + FRAMES_LONGEST);
        size_t sent = 0;
        unsigned got = 0;

        put_header(bytes, FRAMES_LONGEST);
        bytes[4 + FRAMES_LONGEST - 1] = 'z';
        while (got < 30) {
                size_t left = 4 + FRAMES_LONGEST - sent;
                ssize_t count = send(stream->theirs, bytes + sent, left < 10007 ? left : 10007, MSG_DONTWAIT);
                const uint8_t *frame;
                size_t length;

                assert_true(count > 0);
                sent = (sent + (size_t)count) % (4 + FRAMES_LONGEST);
                assert_true(frames_receive(&stream->queue, stream->ours) > 0);
                while (frames_next(&stream->queue, &frame, &length) == 1) {
                        assert_int_equal(length, FRAMES_LONGEST);
                        assert_memory_equal(frame, bytes + 4, length);
                        got++;
                }
        }
}

static void what_is_put_arrives(void **state)
{
        struct stream *stream = *state;
        uint8_t got[16];

        assert_true(frames_put(&stream->queue, (const uint8_t *)"abc", 3));
        assert_true(frames_put(&stream->queue, (const uint8_t *)"d", 1));
        assert_true(frames_waiting(&stream->queue));
        assert_int_equal(frames_send(&stream->queue, stream->ours), 0);
        assert_false(frames_waiting(&stream->queue));
        assert_int_equal(read(stream->theirs, got, sizeof(got)), 12);
        assert_memory_equal(got, "\0\0\0\3abc\0\0\0\1d", 12);
}

static void a_frame_is_lost_when_the_queue_is_full_and_the_rest_is_whole(void **state)
{
        struct stream *stream = *state;
        struct stream *other = xcalloc(1, sizeof(*other));
        uint8_t frame[1514];
        uint32_t put = 0, got = 0;
        size_t lost = 0;

        memset(frame, 0, sizeof(frame));
        for (uint32_t i = 0; i < 2000; i++) {
                memcpy(frame, &put, sizeof(put));
                if (frames_put(&stream->queue, frame, sizeof(frame)))
                        put++;
                else
                        lost++;
                if (i % 7 == 0)
                        assert_int_equal(frames_send(&stream->queue, stream->ours), 0);
        }
        assert_true(lost > 0 && put > FRAMES_ROOM / 1518 - 1);
        other->ours = stream->theirs;
        while (got < put) {
                const uint8_t *found;
                size_t length;

                assert_int_equal(frames_send(&stream->queue, stream->ours), 0);
                assert_true(frames_receive(&other->queue, other->ours) > 0);
                while (frames_next(&other->queue, &found, &length) == 1) {
                        assert_int_equal(length, sizeof(frame));
                        assert_memory_equal(found, &got, sizeof(got));
                        got++;
                }
        }
        free(other);
}

static void a_closed_socket_is_an_error_and_no_signal(void **state)
{
        struct stream *stream = *state;

        closep(&stream->theirs);
        stream->theirs = -1;
        assert_true(frames_put(&stream->queue, (const uint8_t *)"abc", 3));
        assert_int_equal(frames_send(&stream->queue, stream->ours), -1);
        assert_int_equal(errno, EPIPE);
}

static void positions_that_can_not_be_true_are_seen(void **state)
{
        struct stream *stream = *state;

        assert_true(frames_sane(&stream->queue));
        stream->queue.start = 5;
        assert_false(frames_sane(&stream->queue));
        stream->queue.end = FRAMES_ROOM;
        assert_true(frames_sane(&stream->queue));
        stream->queue.end = FRAMES_ROOM + 1;
        assert_false(frames_sane(&stream->queue));
}

static void a_new_stream_begins_without_the_old_one(void **state)
{
        static const uint8_t half[] = { 0, 0, 0, 9, 'a' }, whole[] = { 0, 0, 0, 1, 'b' };
        struct stream *stream = *state;

        they_send(stream, half, sizeof(half));
        assert_int_equal(frames_receive(&stream->queue, stream->ours), sizeof(half));
        assert_none(stream);
        frames_reset(&stream->queue);
        assert_false(frames_waiting(&stream->queue));
        they_send(stream, whole, sizeof(whole));
        assert_int_equal(frames_receive(&stream->queue, stream->ours), sizeof(whole));
        assert_next(stream, "b", 1);
        assert_none(stream);
}

#define STREAM_TEST(function) cmocka_unit_test_setup_teardown(function, make_stream, free_stream)

int main(void)
{
        const struct CMUnitTest tests[] = {
                STREAM_TEST(a_frame_is_whole_however_it_comes),
                STREAM_TEST(an_empty_socket_is_no_end_and_a_closed_one_is),
                STREAM_TEST(a_length_that_no_frame_has_is_an_error),
                STREAM_TEST(the_longest_frame_fits_wherever_it_begins),
                STREAM_TEST(what_is_put_arrives),
                STREAM_TEST(a_frame_is_lost_when_the_queue_is_full_and_the_rest_is_whole),
                STREAM_TEST(a_closed_socket_is_an_error_and_no_signal),
                STREAM_TEST(positions_that_can_not_be_true_are_seen),
                STREAM_TEST(a_new_stream_begins_without_the_old_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
