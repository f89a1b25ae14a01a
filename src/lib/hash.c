#include "lib/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/file.h"

/* The kind of a part comes before its length, so that no text can pass for a missing one or for a file. */
enum part { PART_DATA = 'd', PART_FILE = 'f', PART_NONE = 'n' };

static void add_part(struct hash *hash, enum part part, const void *data, size_t length)
{
        unsigned char header[9] = { (unsigned char)part };

        for (size_t i = 0; i < 8; i++)
                header[1 + i] = (unsigned char)((uint64_t)length >> (8 * i));
        crypto_hash_sha256_update(&hash->state, header, sizeof(header));
        if (length > 0)
                crypto_hash_sha256_update(&hash->state, data, length);
}

static char *to_hex(const unsigned char digest[crypto_hash_sha256_BYTES])
{
        char *hex = xmalloc(HASH_HEX_LENGTH + 1);

        return sodium_bin2hex(hex, HASH_HEX_LENGTH + 1, digest, crypto_hash_sha256_BYTES);
}

static int digest_file(const char *path, unsigned char digest[crypto_hash_sha256_BYTES], struct error **err)
{
        enum { BLOCK = 128 * 1024 };
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_(freep) unsigned char *block = NULL;
        crypto_hash_sha256_state state;
        ssize_t got;

        if (fd < 0) {
                error_errno(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_FAILED, "cannot open '%s'", path);
                return file_hint(err, path, errno);
        }
        block = xmalloc(BLOCK);
        crypto_hash_sha256_init(&state);
        while ((got = read(fd, block, BLOCK)) != 0) {
                if (got > 0)
                        crypto_hash_sha256_update(&state, block, (size_t)got);
                else if (errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot read '%s'", path);
        }
        crypto_hash_sha256_final(&state, digest);
        return 0;
}

void hash_init(struct hash *hash)
{
        crypto_hash_sha256_init(&hash->state);
}

void hash_add(struct hash *hash, const void *data, size_t length)
{
        add_part(hash, PART_DATA, data, length);
}

void hash_add_text(struct hash *hash, const char *text)
{
        if (text)
                add_part(hash, PART_DATA, text, strlen(text));
        else
                add_part(hash, PART_NONE, NULL, 0);
}

int hash_add_file(struct hash *hash, const char *path, struct error **err)
{
        unsigned char digest[crypto_hash_sha256_BYTES];

        /*
         * Adds the file's digest and not its content: the length would have to come before the content, and a file may grow
         * while it is read.
         */
        if (digest_file(path, digest, err) < 0)
                return -1;
        add_part(hash, PART_FILE, digest, sizeof(digest));
        return 0;
}

char *hash_hex(struct hash *hash)
{
        unsigned char digest[crypto_hash_sha256_BYTES];

        crypto_hash_sha256_final(&hash->state, digest);
        return to_hex(digest);
}

char *hash_text(const void *data, size_t length)
{
        unsigned char digest[crypto_hash_sha256_BYTES];

        crypto_hash_sha256(digest, data, length);
        return to_hex(digest);
}

int hash_file(const char *path, char **hex, struct error **err)
{
        unsigned char digest[crypto_hash_sha256_BYTES];

        if (digest_file(path, digest, err) < 0)
                return -1;
        *hex = to_hex(digest);
        return 0;
}

char *hash_fingerprint(const void *blob, size_t length)
{
        unsigned char digest[crypto_hash_sha256_BYTES];
        char text[sodium_base64_ENCODED_LEN(sizeof(digest), sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];

        crypto_hash_sha256(digest, blob, length);
        sodium_bin2base64(text, sizeof(text), digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
        return xasprintf("SHA256:%s", text);
}
