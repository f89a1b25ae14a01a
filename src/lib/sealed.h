/*
 * A file that only who has its key can read, and nobody can change, cut or reorder unnoticed: a stream of sealed blocks of
 * SEALED_BLOCK bytes, of which the last one says that it is the last. Source: libsodium's crypto_secretstream
 * (XChaCha20-Poly1305).
 *
 *         if (sealed_begin(&out, fd, key, err) < 0 || sealed_write(&out, data, length, err) < 0 || … ||
 *             sealed_end(&out, err) < 0)
 *
 * What is read has been checked, block by block: sealed_read() gives nothing of a block that was changed.
 */
#pragma once

#include <sodium.h>

#include "lib/error.h"

#define SEALED_KEY_BYTES crypto_secretstream_xchacha20poly1305_KEYBYTES
#define SEALED_BLOCK     ((size_t)64 << 10) /* bytes of content in a block */

struct sealed {
        crypto_secretstream_xchacha20poly1305_state state;
        int fd;        /* borrowed */
        bool last;     /* reading: the last block was read */
        size_t length; /* of what is in `block` */
        size_t taken;  /* reading: of that */
        uint8_t *block;
};

#define SEALED_INIT                                                                                                            \
        {                                                                                                                      \
                .fd = -1                                                                                                       \
        }
/* Wipes what is in memory. */
void sealed_clear(struct sealed *sealed);

/* Begins to write at the descriptor's place. */
int sealed_begin(struct sealed *out, int fd, const uint8_t key[SEALED_KEY_BYTES], struct error **err);
int sealed_write(struct sealed *sealed, const void *data, size_t length, struct error **err);
/* Writes the last block. The file is complete only then. */
int sealed_end(struct sealed *sealed, struct error **err);

/* Begins to read at the descriptor's place. */
int sealed_open(struct sealed *out, int fd, const uint8_t key[SEALED_KEY_BYTES], struct error **err);
/* Reads exactly `length` bytes. Fails (ERROR_FAILED) when there are fewer, or when the file was changed. */
int sealed_read(struct sealed *sealed, void *data, size_t length, struct error **err);
/* Has everything been read? Fails when the file goes on, or was cut. */
int sealed_finish(struct sealed *sealed, struct error **err);
