/* Sends files of this computer as the records in copy-stream.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/copy-stream.h"
#include "lib/file.h"
#include "lib/text.h"

#define PIECE (1 << 20)

struct sender {
        struct copy_stream *stream;
        struct strbuf piece; /* of a file */
};

static void sender_clear(struct sender *sender)
{
        strbuf_clear(&sender->piece);
}

static void add_number(struct strbuf *out, uint64_t value, unsigned count)
{
        while (count-- > 0)
                strbuf_addc(out, (char)(value >> (8 * count)));
}

static int put_empty(struct sender *sender, char letter, struct error **err)
{
        const struct strbuf nothing = STRBUF_INIT;

        return copy_stream_put_record(sender->stream, letter, &nothing, err);
}

/* Sends the bytes from `at` up to `end`; fewer when the file has become shorter meanwhile. */
static int send_bytes(struct sender *sender, int fd, off_t at, off_t end, const char *path, struct error **err)
{
        while (at < end) {
                size_t wanted = end - at < PIECE ? (size_t)(end - at) : PIECE;
                ssize_t got;

                strbuf_reset(&sender->piece);
                add_number(&sender->piece, (uint64_t)at, 8);
                strbuf_reserve(&sender->piece, wanted);
                got = pread(fd, sender->piece.buf + 8, wanted, at);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return error_errno(err, ERROR_FAILED, "cannot read '%s'", path);
                if (got == 0)
                        return 0;
                sender->piece.len += (size_t)got;
                if (copy_stream_put_record(sender->stream, 'B', &sender->piece, err) < 0)
                        return -1;
                at += got;
        }
        return 0;
}

/* Finds the next bytes from *at on that aren't in a hole. Returns false when there are none. On a file system without holes the
 * whole file is bytes. */
static bool find_bytes(int fd, off_t size, off_t *at, off_t *end)
{
        off_t data = lseek(fd, *at, SEEK_DATA);
        off_t hole;

        if (data < 0 && errno == ENXIO)
                return false;
        hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        *at = data < 0 ? *at : data;
        *end = hole < 0 || hole > size ? size : hole;
        return *at < *end;
}

static int send_file(struct sender *sender, int fd, const struct stat *status, const char *name, const char *path,
                     struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf head = STRBUF_INIT;
        off_t end = 0;

        add_number(&head, status->st_mode & 0777, 4);
        add_number(&head, (uint64_t)status->st_size, 8);
        strbuf_adds(&head, name);
        if (copy_stream_put_record(sender->stream, 'F', &head, err) < 0)
                return -1;
        for (off_t at = 0; find_bytes(fd, status->st_size, &at, &end); at = end)
                if (send_bytes(sender, fd, at, end, path, err) < 0)
                        return -1;
        return 0;
}

static int send_open(struct sender *sender, int fd, const char *name, const char *path, unsigned depth, struct error **err);

/* No link is followed: it would bring in what the user didn't name. */
static int send_inner(struct sender *sender, int folder, const char *name, const char *path, unsigned depth, struct error **err)
{
        _cleanup_(freep) char *inner = path_join(path, name);
        _cleanup_(closep) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", inner);
        return send_open(sender, fd, name, inner, depth, err);
}

static int send_folder(struct sender *sender, int fd, const struct stat *status, const char *name, const char *path,
                       unsigned depth, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf head = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        add_number(&head, status->st_mode & 0777, 4);
        strbuf_adds(&head, name);
        if (file_list(path, &names, err) < 0 || copy_stream_put_record(sender->stream, 'D', &head, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++)
                if (send_inner(sender, fd, names.items[i], path, depth + 1, err) < 0)
                        return -1;
        return put_empty(sender, 'U', err);
}

static int send_open(struct sender *sender, int fd, const char *name, const char *path, unsigned depth, struct error **err)
{
        struct stat status;

        if (fstat(fd, &status) < 0)
                return error_errno(err, ERROR_FAILED, "cannot look at '%s'", path);
        if (S_ISREG(status.st_mode))
                return send_file(sender, fd, &status, name, path, err);
        if (S_ISDIR(status.st_mode) && depth < COPY_DEPTH_MOST)
                return send_folder(sender, fd, &status, name, path, depth, err);
        return error_set(err, ERROR_FAILED, "'%s' is neither a file nor a folder, or is nested too deep", path);
}

int copy_send(struct copy_stream *stream, const char *source, struct error **err)
{
        _cleanup_(sender_clear) struct sender sender = { .stream = stream, .piece = STRBUF_INIT };
        _cleanup_(closep) int fd = open(source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        _cleanup_(strbuf_clear) struct strbuf answer = STRBUF_INIT;
        char letter;

        if (fd < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", source);
        if (send_open(&sender, fd, "", source, 0, err) < 0 || put_empty(&sender, 'Z', err) < 0 ||
            copy_stream_take(stream, &letter, &answer, err) < 0)
                return -1;
        if (letter != 'Z')
                return error_set(err, ERROR_FAILED, "the guest did not confirm that everything was written");
        return put_empty(&sender, 'Z', err);
}
