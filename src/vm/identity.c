#include "vm/identity.h"

#include <ctype.h>
#include <sodium.h>

#include "lib/file.h"
#include "lib/text.h"

#define KEY_LIMIT  (64 << 10)
#define FILE_LIMIT (8 << 10)

/* Room for everything but the keys, and for what a caller adds. */
#define ROOM 4096

void identity_wipe(struct strbuf *description)
{
        if (description->room > 0)
                sodium_memzero(description->buf, description->room);
        strbuf_clear(description);
}

static void wipe_text(char **secret)
{
        if (*secret)
                sodium_memzero(*secret, strlen(*secret));
        free(*secret);
}

char *identity_machine_id(const char *uuid)
{
        _cleanup_(strbuf_clear) struct strbuf id = STRBUF_INIT;

        for (; *uuid; uuid++)
                if (*uuid != '-')
                        strbuf_addc(&id, (char)tolower((unsigned char)*uuid));
        return strbuf_take(&id);
}

/* Appends a file's content in base64 as the value of `key`; nothing when there is no such file. */
static int add_file(const struct vm *vm, const char *name, const char *key, struct strbuf *out, struct error **err)
{
        _cleanup_(freep) char *path = path_join(vm->folder, name);
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        _cleanup_(freep) char *encoded = NULL;

        if (!file_exists(path))
                return 0;
        if (file_read(path, FILE_LIMIT, &content, err) < 0)
                return -1;
        encoded = text_base64(content.buf, content.len);
        strbuf_addf(out, "%s %s\n", key, encoded);
        return 0;
}

int identity_describe(const struct vm *vm, struct strbuf *out, struct error **err)
{
        _cleanup_(freep) char *host_key_path = path_join(vm->folder, "host_key");
        _cleanup_(freep) char *public_key_path = path_join(vm->folder, "id_ed25519.pub");
        _cleanup_(freep) char *machine_id = identity_machine_id(vm->record.uuid);
        _cleanup_(identity_wipe) struct strbuf host_key = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf public_key = STRBUF_INIT;
        _cleanup_(wipe_text) char *encoded = NULL;

        if (file_read(host_key_path, KEY_LIMIT, &host_key, err) < 0 ||
            file_read(public_key_path, KEY_LIMIT, &public_key, err) < 0)
                return error_wrap(err, "cannot describe VM '%s' to its guest", vm->name);
        /* What isn't secret comes first: a buffer that grows after the key was added leaves copies of the key in memory. */
        if (add_file(vm, IDENTITY_GIT_CONFIG, "gitconfig", out, err) < 0 ||
            add_file(vm, IDENTITY_GIT_SIGNERS, "allowed-signers", out, err) < 0)
                return error_wrap(err, "cannot describe VM '%s' to its guest", vm->name);
        encoded = text_base64(host_key.buf, host_key.len);
        strbuf_trim_end(&public_key);
        strbuf_reserve(out, strlen(encoded) + public_key.len + ROOM);
        strbuf_addf(out, "hostname %s\nmachine-id %s\nuser %s\nshell %s\nauthorized-key %s\n", vm->record.name, machine_id,
                    vm->record.user, vm->record.shell, public_key.buf);
        strbuf_adds(out, "host-key ");
        strbuf_adds(out, encoded);
        strbuf_adds(out, "\n");
        return 0;
}
