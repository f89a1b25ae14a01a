#include "host/keys.h"

#include "lib/file.h"
#include "lib/process.h"

#define KEY_LIMIT (64 << 10)

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

/*
 * Writes the pinned key: type and base64 of `host_key.pub`, without its comment, under the alias that the ssh configuration
 * names.
 */
static int ensure_known_hosts(const char *folder, const char *name, struct error **err)
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

int keys_ensure(const char *folder, const char *name, struct error **err)
{
        _cleanup_(freep) char *comment = xasprintf("machine-%s", name);

        if (file_make_private_folder(folder, err) < 0 || ensure_pair(folder, "id_ed25519", comment, err) < 0 ||
            ensure_pair(folder, "host_key", comment, err) < 0 || ensure_known_hosts(folder, name, err) < 0)
                return error_wrap(err, "cannot make the keys of VM '%s'", name);
        return 0;
}

int keys_ensure_pair(const char *folder, const char *file, const char *comment, struct error **err)
{
        if (file_make_private_folder(folder, err) < 0 || ensure_pair(folder, file, comment, err) < 0)
                return error_wrap(err, "cannot make the key '%s/%s'", folder, file);
        return 0;
}
