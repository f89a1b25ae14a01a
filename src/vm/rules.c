#include "vm/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/file.h"
#include "vm/account.h"

#define FOLLOWED_MS 10000 /* machine-net looks once a second */
#define PAUSE_MS    20

char *rules_path(const struct vm *vm)
{
        return path_join(vm->folder, "egress.rules");
}

char *rules_account_path(const struct vm *vm)
{
        return path_join(vm->folder, "egress.account");
}

/*
 * Writes into the file that is there, in an order in which its content counts as it was, or not at all, or as it shall be. Room
 * for it is taken first, behind the line "end", where nobody reads: on a disk that is full the rules stay as they are.
 */
static int overwrite(int fd, const struct strbuf *text)
{
        off_t before = lseek(fd, 0, SEEK_END);
        size_t more = before >= 0 && text->len > (size_t)before ? text->len - (size_t)before : 0;
        _cleanup_(freep) char *blank = xmalloc(more + 1);

        errno = 0;
        memset(blank, '\n', more);
        if (before < 0)
                return -1;
        if (more > 0 && pwrite(fd, blank, more, before) != (ssize_t)more) {
                int failure = errno;

                (void)!ftruncate(fd, before);
                errno = failure > 0 ? failure : ENOSPC; /* a write that was cut short has no reason */
                return -1;
        }
        return pwrite(fd, "?", 1, 0) == 1 && pwrite(fd, text->buf + 1, text->len - 1, 1) == (ssize_t)text->len - 1 &&
                               ftruncate(fd, (off_t)text->len) == 0 && pwrite(fd, text->buf, 1, 0) == 1
                       ? 0
                       : -1;
}

static int write_numbered(const struct vm *vm, int64_t number, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *path = rules_path(vm);
        _cleanup_(closep) int fd = -1;

        strbuf_addf(&text, "%s\n", vm->record.egress ? vm->record.egress : "open");
        for (size_t i = 0; i < vm->record.allow.count; i++)
                strbuf_addf(&text, "%s\n", vm->record.allow.items[i]);
        strbuf_addf(&text, "end %jd\n", (intmax_t)number);
        /* Not by rename: machine-net has the file open and would go on reading the old one. It ignores a half-written file,
         * which has no "end" line. */
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 || overwrite(fd, &text) < 0)
                return error_errno(err, ERROR_FAILED, "cannot write '%s'", path);
        return 0;
}

/* The time, so that no two numbers are the same. */
static int64_t next_number(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int rules_write(const struct vm *vm, struct error **err)
{
        return write_numbered(vm, next_number(), err);
}

int rules_change(const struct vm *vm, struct error **err)
{
        int64_t number = next_number();
        deadline limit = deadline_in(FOLLOWED_MS);

        if (write_numbered(vm, number, err) < 0)
                return -1;
        for (;;) {
                _cleanup_(account_clear) struct account account = ACCOUNT_INIT;
                int found = account_read(vm, &account, err);

                if (found < 0)
                        return -1;
                if (found > 0 && account.rules == number)
                        return 0;
                if (deadline_passed(limit))
                        break;
                poll(NULL, 0, PAUSE_MS);
        }
        error_set(err, ERROR_ENGINE, "the network process of VM '%s' doesn't take up the changed rules", vm->name);
        return error_hint(err, "machine restart %s", vm->name);
}

void rules_options(const struct vm *vm, struct strv *options)
{
        _cleanup_(freep) char *path = rules_path(vm);
        _cleanup_(freep) char *account = rules_account_path(vm);

        if (!file_exists(path))
                return;
        strv_addf(options, "--rules=%s", path);
        strv_addf(options, "--account=%s", account);
}
