#include "lib/capped-log.h"

#include <errno.h>
#include <unistd.h>

#include "lib/strbuf.h"

/* The same length for any number. */
#define MARK        "\n[%20jd bytes are left out here]\n"
#define MARK_LENGTH 48

static int fail(struct error **err)
{
        return error_errno(err, ERROR_FAILED, "cannot write a log");
}

static int write_at(const struct capped_log *log, const char *data, size_t length, int64_t at, struct error **err)
{
        while (length > 0) {
                ssize_t written = pwrite(log->fd, data, length, (off_t)at);

                if (written < 0 && errno == EINTR)
                        continue;
                if (written <= 0)
                        return fail(err);
                data += written;
                at += written;
                length -= (size_t)written;
        }
        return 0;
}

/* Moves `length` bytes towards the beginning of the file. */
static int move_down(const struct capped_log *log, int64_t from, int64_t to, int64_t length, struct error **err)
{
        char block[16384];

        while (length > 0) {
                size_t part = length < (int64_t)sizeof(block) ? (size_t)length : sizeof(block);
                ssize_t got = pread(log->fd, block, part, (off_t)from);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return fail(err);
                if (write_at(log, block, (size_t)got, to, err) < 0)
                        return -1;
                from += got;
                to += got;
                length -= got;
        }
        return 0;
}

/* Leaves out the older half of what comes after the head. */
static int make_room(struct capped_log *log, struct error **err)
{
        int64_t begin = log->head + (log->left_out > 0 ? MARK_LENGTH : 0);
        int64_t kept = (log->most - log->head) / 2 - MARK_LENGTH;
        int64_t left_out = log->left_out + log->size - kept - begin;
        _cleanup_(freep) char *mark = xasprintf(MARK, (intmax_t)left_out);

        if (move_down(log, log->size - kept, log->head + MARK_LENGTH, kept, err) < 0 ||
            write_at(log, mark, MARK_LENGTH, log->head, err) < 0)
                return -1;
        log->left_out = left_out;
        log->size = log->head + MARK_LENGTH + kept;
        return ftruncate(log->fd, (off_t)log->size) < 0 ? fail(err) : 0;
}

int capped_log_open(struct capped_log *log, int fd, int64_t head, int64_t most, struct error **err)
{
        if (head < 0 || most < head + CAPPED_LOG_LEAST)
                return error_set(err, ERROR_FAILED, "a log of %jd bytes can't keep its first %jd", (intmax_t)most,
                                 (intmax_t)head);
        *log = (struct capped_log){ .fd = fd, .head = head, .most = most };
        return ftruncate(fd, 0) < 0 ? fail(err) : 0;
}

int capped_log_write(struct capped_log *log, const void *data, size_t length, struct error **err)
{
        const char *next = data;

        while (length > 0) {
                size_t part;

                if (log->size == log->most && make_room(log, err) < 0)
                        return -1;
                part = (int64_t)length < log->most - log->size ? length : (size_t)(log->most - log->size);
                if (write_at(log, next, part, log->size, err) < 0)
                        return -1;
                log->size += (int64_t)part;
                next += part;
                length -= part;
        }
        return 0;
}
