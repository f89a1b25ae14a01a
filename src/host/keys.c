#include "host/keys.h"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/process.h"

#define KEY_LIMIT (64 << 10)
#define KEY_MODE  0600

static int run_keygen(const char *const *argv, struct strbuf *out, struct error **err)
{
        return process_check(&(struct process_spec){ .argv = argv, .timeout_ms = 30000 }, out, err);
}

/*
 * Makes a key pair under its name in `folder`. ssh-keygen writes two files one after the other, so it works in a folder of its
 * own. The private key is moved last: once it is there, the pair is complete.
 */
static int make_pair(const char *folder, const char *file, const char *comment, struct error **err)
{
        _cleanup_(freep) char *work = path_join(folder, "keys.new");
        _cleanup_(freep) char *new_key = path_join(work, file);
        _cleanup_(freep) char *new_public = xasprintf("%s.pub", new_key);
        _cleanup_(freep) char *key = path_join(folder, file);
        _cleanup_(freep) char *public = xasprintf("%s.pub", key);
        const char *const argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", new_key, NULL };

        if (file_remove(work, err) < 0 || file_make_private_folder(work, err) < 0 || run_keygen(argv, NULL, err) < 0 ||
            file_rename(new_public, public, err) < 0 || file_rename(new_key, key, err) < 0)
                return -1;
        return file_remove(work, err);
}

static int derive_public(const char *key, const char *public, struct error **err)
{
        const char *const argv[] = { "ssh-keygen", "-y", "-f", key, NULL };
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (run_keygen(argv, &text, err) < 0)
                return error_wrap(err, "cannot read the key '%s'", key);
        return file_write(public, text.buf, text.len, 0644, err);
}

static int ensure_pair(const char *folder, const char *file, const char *comment, struct error **err)
{
        _cleanup_(freep) char *key = path_join(folder, file);
        _cleanup_(freep) char *public = xasprintf("%s.pub", key);

        if (!file_exists(key))
                return make_pair(folder, file, comment, err);
        return file_exists(public) ? 0 : derive_public(key, public, err);
}

/* --- is a pair whole? */

/* Decodes base64 of `length` bytes, which may have line ends in it. Returns the number of bytes; 0 when it is something else.
 */
static size_t decode(const char *text, size_t length, unsigned char *out, size_t room)
{
        size_t decoded = 0;

        return sodium_base642bin(out, room, text, length, "\r\n", &decoded, NULL, sodium_base64_VARIANT_ORIGINAL) < 0 ? 0
                                                                                                                      : decoded;
}

static size_t decode_private(const char *text, unsigned char *out, size_t room)
{
        static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
        const char *end = strstr(text, "-----END OPENSSH PRIVATE KEY-----\n");

        if (!starts_with(text, begin) || !end)
                return 0;
        text += strlen(begin);
        return end < text ? 0 : decode(text, (size_t)(end - text), out, room);
}

static size_t decode_public(const char *text, unsigned char *out, size_t room)
{
        static const char begin[] = "ssh-ed25519 ";

        return starts_with(text, begin) ? decode(text + strlen(begin), strcspn(text + strlen(begin), " \n"), out, room) : 0;
}

/*
 * The last part of a private key is a seed of 32 bytes, followed by the public key that it makes; the public file ends with the
 * same 32 bytes. Source: openssh-portable, PROTOCOL.key; RFC 8709, section 4.
 */
static bool fits(const unsigned char *private, size_t length, const unsigned char *public)
{
        unsigned char made[crypto_sign_PUBLICKEYBYTES];
        unsigned char secret[crypto_sign_SECRETKEYBYTES];
        bool found = false;

        for (size_t i = crypto_sign_SEEDBYTES; !found && i + sizeof(made) <= length; i++) {
                if (memcmp(private + i, public, sizeof(made)) != 0)
                        continue;
                crypto_sign_seed_keypair(made, secret, private + i - crypto_sign_SEEDBYTES);
                found = memcmp(made, public, sizeof(made)) == 0;
        }
        sodium_memzero(secret, sizeof(secret));
        return found;
}

/* Can ssh use both files, and do they belong together? */
static bool is_whole(const char *key, const char *public)
{
        enum { ROOM = 4096 };
        unsigned char private_bytes[ROOM];
        unsigned char public_bytes[ROOM];
        _cleanup_(strbuf_clear) struct strbuf private_text = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf public_text = STRBUF_INIT;
        size_t private_length;
        size_t public_length;
        bool whole;

        if (file_read(key, KEY_LIMIT, &private_text, NULL) < 0 || file_read(public, KEY_LIMIT, &public_text, NULL) < 0)
                return false;
        private_length = decode_private(private_text.buf, private_bytes, sizeof(private_bytes));
        public_length = decode_public(public_text.buf, public_bytes, sizeof(public_bytes));
        whole = public_length > crypto_sign_PUBLICKEYBYTES &&
                fits(private_bytes, private_length, public_bytes + public_length - crypto_sign_PUBLICKEYBYTES);
        sodium_memzero(private_bytes, sizeof(private_bytes));
        sodium_memzero(private_text.buf, private_text.len);
        return whole;
}

static void restrict_mode(const char *key)
{
        struct stat status;

        if (lstat(key, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
            (status.st_mode & 0777) != KEY_MODE)
                chmod(key, KEY_MODE);
}

static int set_aside(const char *path, struct error **err)
{
        return file_exists(path) ? file_set_aside(path, NULL, err) : 0;
}

/* Makes a pair again of which a file is damaged. The public key can be made from the private one, but not the other way. */
static int mend_pair(const char *folder, const char *file, const char *comment, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *key = path_join(folder, file);
        _cleanup_(freep) char *public = xasprintf("%s.pub", key);

        if (!file_exists(key) && !file_exists(public))
                return make_pair(folder, file, comment, err);
        restrict_mode(key);
        if (is_whole(key, public))
                return 0;
        if ((file_is_folder(public) || !file_exists(key)) && set_aside(public, err) < 0)
                return -1;
        if (file_exists(key) && derive_public(key, public, NULL) == 0 && is_whole(key, public))
                return 0;
        event_note(events, "the key '%s' could not be used, and is made anew", key);
        return set_aside(key, err) < 0 ? -1 : make_pair(folder, file, comment, err);
}

bool keys_are_whole(const char *folder)
{
        static const char *const files[] = { "id_ed25519", "host_key" };

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                _cleanup_(freep) char *key = path_join(folder, files[i]);
                _cleanup_(freep) char *public = xasprintf("%s.pub", key);

                if (!is_whole(key, public))
                        return false;
        }
        return true;
}

/*
 * Writes the pinned key: type and base64 of `host_key.pub`, without its comment, under the alias that the ssh configuration
 * names.
 */
int keys_pin(const char *folder, const char *name, struct error **err)
{
        _cleanup_(freep) char *path = path_join(folder, "known_hosts");
        _cleanup_(freep) char *public = path_join(folder, "host_key.pub");
        _cleanup_(strbuf_clear) struct strbuf key = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf before = STRBUF_INIT;
        _cleanup_(freep) char *line = NULL;
        size_t type, data;

        if (file_read(public, KEY_LIMIT, &key, err) < 0)
                return -1;
        type = strcspn(key.buf, " \n");
        if (key.buf[type] != ' ')
                return error_set(err, ERROR_FAILED, "'%s' is not a public key", public);
        data = strcspn(key.buf + type + 1, " \n");
        if (type == 0 || data == 0)
                return error_set(err, ERROR_FAILED, "'%s' is not a public key", public);
        line = xasprintf("machine-%s %.*s\n", name, (int)(type + 1 + data), key.buf);
        if (file_read(path, KEY_LIMIT, &before, NULL) == 0 && streq(before.buf, line))
                return 0;
        return file_write_text(path, line, 0600, err);
}

int keys_ensure(const char *folder, const char *name, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *comment = xasprintf("machine-%s", name);

        if (file_make_private_folder(folder, err) < 0 || mend_pair(folder, "id_ed25519", comment, events, err) < 0 ||
            mend_pair(folder, "host_key", comment, events, err) < 0 || keys_pin(folder, name, err) < 0)
                return error_wrap(err, "cannot make the keys of VM '%s'", name);
        return 0;
}

int keys_ensure_pair(const char *folder, const char *file, const char *comment, struct error **err)
{
        if (file_make_private_folder(folder, err) < 0 || ensure_pair(folder, file, comment, err) < 0)
                return error_wrap(err, "cannot make the key '%s/%s'", folder, file);
        return 0;
}
