#include "net/hello.h"

#include "net/packet.h"

#define RECORD_HEADER    5
#define RECORD_HANDSHAKE 22
#define RECORD_MOST      (1 << 14)
#define CLIENT_HELLO     1
#define MESSAGE_HEADER   4
#define HELLO_FIXED      34 /* version, random */
#define EXTENSION_NAME   0
#define NAME_IS_HOST     0

/* Bytes that are taken from the front. */
struct reader {
        const uint8_t *at;
        size_t left;
};

static bool take(struct reader *from, size_t count, struct reader *out)
{
        if (from->left < count)
                return false;
        *out = (struct reader){ .at = from->at, .left = count };
        from->at += count;
        from->left -= count;
        return true;
}

/* Takes what follows a length of `size` bytes. */
static bool take_vector(struct reader *from, size_t size, struct reader *out)
{
        struct reader length;
        size_t count = 0;

        if (!take(from, size, &length))
                return false;
        for (size_t i = 0; i < size; i++)
                count = count << 8 | length.at[i];
        return take(from, count, out);
}

static bool read_names(struct reader *extension, char *name)
{
        struct reader list, kind, host;

        if (!take_vector(extension, 2, &list) || extension->left != 0)
                return false;
        while (list.left > 0) {
                if (!take(&list, 1, &kind) || !take_vector(&list, 2, &host))
                        return false;
                /* A second name could be the one that counts. */
                if (*kind.at != NAME_IS_HOST || *name != '\0')
                        return false;
                if (!egress_name((const char *)host.at, host.left, name))
                        return false;
        }
        return true;
}

static bool read_message(struct reader *message, char *name)
{
        struct reader part, extensions, kind, extension;
        bool named = false;

        if (!take(message, HELLO_FIXED, &part) || !take_vector(message, 1, &part) || !take_vector(message, 2, &part) ||
            !take_vector(message, 1, &part))
                return false;
        if (message->left == 0)
                return true;
        if (!take_vector(message, 2, &extensions) || message->left != 0)
                return false;
        while (extensions.left > 0) {
                if (!take(&extensions, 2, &kind) || !take_vector(&extensions, 2, &extension))
                        return false;
                if (packet_get16(kind.at) != EXTENSION_NAME)
                        continue;
                if (named || !read_names(&extension, name))
                        return false;
                named = true;
        }
        return true;
}

/* Joins what the records carry. Returns 1 when the message is whole, 0 when it isn't yet, -1 when it is not a ClientHello. */
static int join(struct reader stream, uint8_t *message, size_t *length)
{
        size_t wanted = MESSAGE_HEADER;
        struct reader header, record;

        *length = 0;
        while (*length < wanted) {
                size_t size;

                if (stream.left > 0 && stream.at[0] != RECORD_HANDSHAKE)
                        return -1;
                if (!take(&stream, RECORD_HEADER, &header))
                        return 0;
                size = packet_get16(header.at + 3);
                if (header.at[1] != 3 || size == 0 || size > RECORD_MOST || *length + size > HELLO_MOST)
                        return -1;
                if (!take(&stream, size, &record))
                        record = (struct reader){ .at = stream.at, .left = stream.left };
                memcpy(message + *length, record.at, record.left);
                *length += record.left;
                if (*length >= MESSAGE_HEADER) {
                        wanted = MESSAGE_HEADER + ((size_t)message[1] << 16 | packet_get16(message + 2));
                        if (message[0] != CLIENT_HELLO || wanted > HELLO_MOST)
                                return -1;
                }
                if (record.left < size && *length < wanted)
                        return 0;
        }
        *length = wanted;
        return 1;
}

int hello_read(const uint8_t *data, size_t length, char name[static EGRESS_NAME_MOST + 1])
{
        uint8_t message[HELLO_MOST];
        struct reader whole;
        size_t size;
        int status = join((struct reader){ .at = data, .left = length }, message, &size);

        *name = '\0';
        if (status <= 0)
                return status;
        whole = (struct reader){ .at = message + MESSAGE_HEADER, .left = size - MESSAGE_HEADER };
        if (read_message(&whole, name))
                return 1;
        *name = '\0';
        return -1;
}
