#include "qemu/identity-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm/identity.h"

/* A guest looks up the file's length once, and VMs restored from that guest rely on it. So all files have the same length. */
#define FILE_BYTES 32768

int identity_open(const struct vm *vm, int *fd, struct error **err)
{
        _cleanup_(identity_wipe) struct strbuf text = STRBUF_INIT;
        _cleanup_(closep) int made = -1;

        if (identity_describe(vm, &text, err) < 0)
                return -1;
        if (text.len > FILE_BYTES)
                return error_set(err, ERROR_ENGINE, "the description of VM '%s' is longer than %d bytes", vm->name, FILE_BYTES);
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
