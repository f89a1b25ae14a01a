#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arguments.h"
#include "lib/file.h"
#include "lib/text.h"

#define KEY_LIMIT (64 << 10)

/* What a guest has looked up once (its length) holds for those restored from it too: all have the same. */
#define FILE_BYTES 4096

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

int identity_describe(const struct vm *vm, struct strbuf *out, struct error **err)
{
        _cleanup_(freep) char *host_key_path = path_join(vm->folder, "host_key");
        _cleanup_(freep) char *public_key_path = path_join(vm->folder, "id_ed25519.pub");
        _cleanup_(freep) char *machine_id = arguments_machine_id(vm->record.uuid);
        _cleanup_(identity_wipe) struct strbuf host_key = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf public_key = STRBUF_INIT;
        _cleanup_(wipe_text) char *encoded = NULL;

        if (file_read(host_key_path, KEY_LIMIT, &host_key, err) < 0 ||
            file_read(public_key_path, KEY_LIMIT, &public_key, err) < 0)
                return error_wrap(err, "cannot describe VM '%s' to its guest", vm->name);
        encoded = text_base64(host_key.buf, host_key.len);
        strbuf_trim_end(&public_key);
        /* Room first: a buffer that grows leaves copies behind. */
        strbuf_reserve(out, strlen(encoded) + public_key.len + FILE_BYTES);
        strbuf_addf(out, "hostname %s\nmachine-id %s\nuser %s\nshell %s\nauthorized-key %s\n", vm->record.name, machine_id,
                    vm->record.user, vm->record.shell, public_key.buf);
        strbuf_adds(out, "host-key ");
        strbuf_adds(out, encoded);
        strbuf_adds(out, "\n");
        return 0;
}

int identity_open(const struct vm *vm, int *fd, struct error **err)
{
        _cleanup_(identity_wipe) struct strbuf text = STRBUF_INIT;
        _cleanup_(closep) int made = -1;

        if (identity_describe(vm, &text, err) < 0)
                return -1;
        while (text.len < FILE_BYTES)
                strbuf_addc(&text, '\n');
        made = memfd_create("identity", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (made < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a file in memory");
        for (size_t done = 0; done < text.len;) {
                ssize_t written = write(made, text.buf + done, text.len - done);

                if (written < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot write a file in memory");
                if (written > 0)
                        done += (size_t)written;
        }
        if (fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return error_errno(err, ERROR_FAILED, "cannot seal a file in memory");
        *fd = TAKE_FD(made);
        return 0;
}
