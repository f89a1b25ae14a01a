/*
 * Any bytes in any pieces on a watched connection, with a kernel that takes more or fewer bytes each time. What leaves is what
 * was given, in the same order, and it is TLS with the allowed name, or only requests to the allowed host.
 *
 * An input is a byte of settings (1: HTTP), then pieces. A piece is a byte that says how many bytes the kernel takes after it,
 * a byte with its length, and that many bytes. The last piece takes what is left.
 */
#include "../fuzz.h"

#include "lib/util.h"
#include "net/stream.h"

#define NAME "a.example"

struct left {
        uint8_t *bytes;
        size_t length;
};

static void check_left(const struct left *left, enum stream_watch watch)
{
        char name[EGRESS_NAME_MOST + 1] = "";
        struct http http = { 0 };
        size_t used = 0;

        if (watch == STREAM_TLS) {
                CHECK(left->length == 0 || (hello_read(left->bytes, left->length, name) >= 0));
                CHECK(*name == '\0' || streq(name, NAME));
                return;
        }
        while (used < left->length) {
                bool head;
                int64_t count = http_read(&http, left->bytes + used, left->length - used, name, &head);

                CHECK(count >= 0 && (!head || streq(name, NAME)));
                if (count == 0)
                        return;
                used += (size_t)count;
        }
}

/* Returns false when the connection is cut. */
static bool judge(struct stream *stream)
{
        char name[EGRESS_NAME_MOST + 1];
        const char *reason = NULL;
        enum stream_step step;

        while ((step = stream_go_on(stream, name, &reason)) == STREAM_SHOWN)
                if (!streq(name, NAME))
                        return false;
        CHECK(step == STREAM_WAIT || reason);
        return step == STREAM_WAIT;
}

static size_t hand_on(struct stream *stream, struct left *left, size_t most)
{
        const uint8_t *data;
        size_t count = stream_settled(stream, &data);

        count = count < most ? count : most;
        if (count == 0)
                return 0;
        memcpy(left->bytes + left->length, data, count);
        left->length += count;
        stream_sent(stream, count);
        return count;
}

/* In the order of the conduit (src/net/conduit.c): first what was taken before, then what needs no look, then the rest. */
static bool give(struct stream *stream, struct left *left, const uint8_t *data, size_t length, size_t most)
{
        while (length > 0) {
                size_t count = stream_free(stream, length);

                if (count > 0) {
                        memcpy(left->bytes + left->length, data, count);
                        left->length += count;
                        stream_passed(stream, count);
                } else {
                        CHECK(stream_needs(stream, length) <= STREAM_HELD_MOST);
                        count = stream_take(stream, data, length);
                        CHECK(stream->room <= STREAM_HELD_MOST);
                        if (count == 0 || !judge(stream))
                                return false;
                        hand_on(stream, left, most);
                        while (hand_on(stream, left, STREAM_HELD_MOST) > 0)
                                continue;
                }
                data += count;
                length -= count;
        }
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        enum stream_watch watch = size > 0 && (data[0] & 1) != 0 ? STREAM_HTTP : STREAM_TLS;
        struct stream stream = { .watch = watch };
        _cleanup_(freep) uint8_t *given = xmalloc(size + 1);
        struct left left = { .bytes = xmalloc(size + 1) };
        size_t total = 0;

        for (size_t at = 1; at + 2 < size;) {
                size_t length = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;

                memcpy(given + total, data + at + 2, length);
                total += length;
                if (!give(&stream, &left, data + at + 2, length, data[at]))
                        break;
                at += 2 + length;
        }
        CHECK(left.length <= total && memcmp(left.bytes, given, left.length) == 0);
        check_left(&left, watch);
        stream_clear(&stream);
        free(left.bytes);
        return 0;
}
