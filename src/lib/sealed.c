#include "lib/sealed.h"

#include <errno.h>
#include <unistd.h>

#define EXTRA  crypto_secretstream_xchacha20poly1305_ABYTES
#define HEADER crypto_secretstream_xchacha20poly1305_HEADERBYTES

/* Room for a block, and behind it for the same block sealed. */
static uint8_t *sealed_part(const struct sealed *sealed)
{
        return sealed->block + SEALED_BLOCK;
}

void sealed_clear(struct sealed *sealed)
{
        if (sealed->block)
                sodium_memzero(sealed->block, 2 * SEALED_BLOCK + EXTRA);
        free(sealed->block);
        sodium_memzero(&sealed->state, sizeof(sealed->state));
        *sealed = (struct sealed)SEALED_INIT;
}

static int put(const struct sealed *sealed, const uint8_t *data, size_t length, struct error **err)
{
        return write_all(sealed->fd, data, length) < 0 ? error_errno(err, ERROR_FAILED, "cannot write") : 0;
}

/* Reads up to `length` bytes; fewer only at the end of the file. */
static ssize_t get(const struct sealed *sealed, uint8_t *data, size_t length, struct error **err)
{
        size_t got = 0;

        while (got < length) {
                ssize_t count = read(sealed->fd, data + got, length - got);

                if (count < 0 && errno == EINTR)
                        continue;
                if (count < 0)
                        return error_errno(err, ERROR_FAILED, "cannot read");
                if (count == 0)
                        break;
                got += (size_t)count;
        }
        return (ssize_t)got;
}

static struct sealed start(int fd)
{
        return (struct sealed){ .fd = fd, .block = xmalloc(2 * SEALED_BLOCK + EXTRA) };
}

int sealed_begin(struct sealed *out, int fd, const uint8_t key[SEALED_KEY_BYTES], struct error **err)
{
        uint8_t header[HEADER];

        *out = start(fd);
        crypto_secretstream_xchacha20poly1305_init_push(&out->state, header, key);
        return put(out, header, sizeof(header), err);
}

static int put_block(struct sealed *sealed, unsigned char tag, struct error **err)
{
        unsigned long long length;

        crypto_secretstream_xchacha20poly1305_push(&sealed->state, sealed_part(sealed), &length, sealed->block, sealed->length,
                                                   NULL, 0, tag);
        sealed->length = 0;
        return put(sealed, sealed_part(sealed), (size_t)length, err);
}

int sealed_write(struct sealed *sealed, const void *data, size_t length, struct error **err)
{
        const uint8_t *from = data;

        while (length > 0) {
                size_t part = SEALED_BLOCK - sealed->length;

                /* A full block is written only once more follows: one is the last, and says so. */
                if (part == 0 && put_block(sealed, 0, err) < 0)
                        return -1;
                part = SEALED_BLOCK - sealed->length;
                if (part > length)
                        part = length;
                memcpy(sealed->block + sealed->length, from, part);
                sealed->length += part;
                from += part;
                length -= part;
        }
        return 0;
}

int sealed_end(struct sealed *sealed, struct error **err)
{
        return put_block(sealed, crypto_secretstream_xchacha20poly1305_TAG_FINAL, err);
}

static int refuse(struct error **err)
{
        return error_set(err, ERROR_FAILED, "it was changed, cut, or sealed with another key");
}

int sealed_open(struct sealed *out, int fd, const uint8_t key[SEALED_KEY_BYTES], struct error **err)
{
        uint8_t header[HEADER];
        ssize_t got;

        *out = start(fd);
        got = get(out, header, sizeof(header), err);
        if (got < 0)
                return -1;
        if (got < (ssize_t)sizeof(header) || crypto_secretstream_xchacha20poly1305_init_pull(&out->state, header, key) != 0)
                return refuse(err);
        return 0;
}

static int get_block(struct sealed *sealed, struct error **err)
{
        ssize_t got = get(sealed, sealed_part(sealed), SEALED_BLOCK + EXTRA, err);
        unsigned long long length;
        unsigned char tag;

        if (got < 0)
                return -1;
        if (got < (ssize_t)EXTRA || crypto_secretstream_xchacha20poly1305_pull(&sealed->state, sealed->block, &length, &tag,
                                                                               sealed_part(sealed), (size_t)got, NULL, 0) != 0)
                return refuse(err);
        sealed->length = (size_t)length;
        sealed->taken = 0;
        sealed->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
        return 0;
}

int sealed_read(struct sealed *sealed, void *data, size_t length, struct error **err)
{
        uint8_t *to = data;

        while (length > 0) {
                size_t part = sealed->length - sealed->taken;

                if (part == 0) {
                        if (sealed->last)
                                return refuse(err);
                        if (get_block(sealed, err) < 0)
                                return -1;
                        continue;
                }
                if (part > length)
                        part = length;
                memcpy(to, sealed->block + sealed->taken, part);
                sealed->taken += part;
                to += part;
                length -= part;
        }
        return 0;
}

int sealed_finish(struct sealed *sealed, struct error **err)
{
        uint8_t more;

        if (sealed->taken == sealed->length && !sealed->last && get_block(sealed, err) < 0)
                return -1;
        if (!sealed->last || sealed->taken != sealed->length)
                return refuse(err);
        return get(sealed, &more, 1, err) == 0 ? 0 : refuse(err);
}
