#include "guest/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/copy-stream.h"
#include "lib/file.h"
#include "lib/nest.h"
#include "lib/os.h"
#include "lib/text.h"

#define NEST_PREFIX  ".machine-save."
#define PIECE        (1 << 20)
#define OFFSET_BYTES 8 /* of a record B, which nobody needs here */
#define SLACK_BYTES  (64 << 20)
#define ASIDE_MOST   1000

/* RFC 8878, 3.1.2: a skippable frame has one of 16 magic numbers, the length of its content, and the content. */
#define FRAME_MARK   "machine work 1 "
#define FRAME_LENGTH (sizeof(FRAME_MARK) - 1 + HASH_HEX_LENGTH)
static const char frame_head[] = { 0x50, 0x2a, 0x4d, 0x18, FRAME_LENGTH, 0, 0, 0 };
/* RFC 8878, 3.1.1 */
static const char zstandard[] = { 0x28, (char)0xb5, 0x2f, (char)0xfd };

void archive_clear(struct archive *archive)
{
        closep(&archive->fd);
        free(archive->path);
        free(archive->id);
        *archive = (struct archive)ARCHIVE_INIT;
}

/* The checksum as the frame has it. Owned by the caller. */
static char *finish(crypto_hash_sha256_state *state)
{
        unsigned char digest[crypto_hash_sha256_BYTES];
        char hex[HASH_HEX_LENGTH + 1];

        crypto_hash_sha256_final(state, digest);
        return xstrdup(sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest)));
}

static void make_frame(const char *id, struct strbuf *out)
{
        strbuf_add(out, frame_head, sizeof(frame_head));
        strbuf_adds(out, FRAME_MARK);
        strbuf_adds(out, id);
}

/* --- out of a guest */

int archive_check_place(const char *path, struct error **err)
{
        _cleanup_(freep) char *folder = path_folder(path);

        if (file_exists(path)) {
                error_set(err, ERROR_FAILED, "'%s' already exists", path);
                return error_hint(err, "save to another file");
        }
        if (!file_is_folder(folder))
                return error_set(err, ERROR_FAILED, "cannot save to '%s': there is no folder '%s'", path, folder);
        return access(folder, W_OK) < 0 ? error_errno(err, ERROR_FAILED, "cannot save to '%s'", path) : 0;
}

/* Writes what comes, and the frame after it. */
static int take_all(struct copy_stream *stream, int fd, int64_t most, int64_t *bytes, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT, frame = STRBUF_INIT;
        _cleanup_(freep) char *id = NULL;
        crypto_hash_sha256_state state;
        char letter = 0;

        *bytes = 0;
        crypto_hash_sha256_init(&state);
        while (letter != 'Z') {
                const char *piece;
                size_t length;

                if (copy_stream_take(stream, &letter, &content, err) < 0)
                        return -1;
                if (letter != 'B' || content.len < OFFSET_BYTES) {
                        if (letter != 'Z')
                                return error_set(err, ERROR_FAILED, "what the guest sends is not an archive");
                        continue;
                }
                piece = content.buf + OFFSET_BYTES;
                length = content.len - OFFSET_BYTES;
                *bytes += (int64_t)length;
                if (*bytes > most)
                        return error_set(err, ERROR_FAILED, "the guest sends more than its disk can hold");
                crypto_hash_sha256_update(&state, (const unsigned char *)piece, length);
                if (write_all(fd, piece, length) < 0)
                        return error_errno(err, ERROR_FAILED, "cannot write");
        }
        if (*bytes == 0)
                return error_set(err, ERROR_FAILED, "what the guest sends is not an archive");
        id = finish(&state);
        make_frame(id, &frame);
        *bytes += (int64_t)frame.len;
        return write_all(fd, frame.buf, frame.len) < 0 ? error_errno(err, ERROR_FAILED, "cannot write") : 0;
}

static int save_to(const struct vm *vm, int fd, int64_t *bytes, struct error **err)
{
        _cleanup_(copy_stream_clear) struct copy_stream stream = COPY_STREAM_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_add(&args, "save");
        if (copy_stream_open(vm, "work.sh", &args, &stream, err) < 0 ||
            take_all(&stream, fd, vm->record.disk_bytes + SLACK_BYTES, bytes, err) < 0)
                return -1;
        return os_sync(fd) < 0 ? error_errno(err, ERROR_FAILED, "cannot write") : 0;
}

int archive_save(const struct vm *vm, const char *path, int64_t *bytes, struct error **err)
{
        _cleanup_(freep) char *folder = path_folder(path);
        _cleanup_(nest_clear) struct nest nest = NEST_INIT;
        _cleanup_(freep) char *made = NULL;
        _cleanup_(closep) int fd = -1;

        if (nest_make(folder, NEST_PREFIX, &nest, err) < 0)
                return error_wrap(err, "cannot save the work of VM '%s' to '%s'", vm->name, path);
        made = path_join(nest.folder, "archive");
        fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_errno(err, ERROR_FAILED, "cannot write '%s'", made);
        if (save_to(vm, fd, bytes, err) < 0 || archive_check_place(path, err) < 0 || file_rename(made, path, err) < 0)
                return error_wrap(err, "cannot save the work of VM '%s' to '%s'", vm->name, path);
        return 0;
}

/* --- into a guest */

/* Reads `length` bytes at an offset; fewer are an error. */
static int read_at(const struct archive *archive, void *out, size_t length, int64_t at, struct error **err)
{
        for (char *to = out; length > 0;) {
                ssize_t got = pread(archive->fd, to, length, at);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return error_errno(err, ERROR_FAILED, "cannot read '%s'", archive->path);
                if (got == 0)
                        return error_set(err, ERROR_FAILED, "'%s' became shorter while it was read", archive->path);
                to += got;
                at += got;
                length -= (size_t)got;
        }
        return 0;
}

static size_t piece_at(const struct archive *archive, int64_t at)
{
        return archive->length - at < PIECE ? (size_t)(archive->length - at) : PIECE;
}

static int check_sum(const struct archive *archive, struct error **err)
{
        _cleanup_(freep) char *piece = xreallocarray(NULL, PIECE, 1), *id = NULL;
        crypto_hash_sha256_state state;

        crypto_hash_sha256_init(&state);
        for (int64_t at = 0; at < archive->length; at += (int64_t)piece_at(archive, at)) {
                size_t length = piece_at(archive, at);

                if (read_at(archive, piece, length, at, err) < 0)
                        return -1;
                crypto_hash_sha256_update(&state, (const unsigned char *)piece, length);
        }
        id = finish(&state);
        return streq(id, archive->id) ? 0
                                      : error_set(err, ERROR_FAILED, "'%s' is damaged: its checksum is wrong", archive->path);
}

/* Reads what stands around the guest's part. */
static int check_frame(struct archive *archive, int64_t size, struct error **err)
{
        char begin[sizeof(zstandard)], end[sizeof(frame_head) + FRAME_LENGTH + 1] = "";
        _cleanup_(strbuf_clear) struct strbuf wanted = STRBUF_INIT;

        archive->length = size - (int64_t)sizeof(end) + 1;
        if (archive->length < (int64_t)sizeof(begin))
                return error_set(err, ERROR_FAILED, "'%s' is not an archive of 'machine destroy --save'", archive->path);
        if (read_at(archive, begin, sizeof(begin), 0, err) < 0 ||
            read_at(archive, end, sizeof(end) - 1, archive->length, err) < 0)
                return -1;
        if (memcmp(begin, zstandard, sizeof(begin)) != 0)
                return error_set(err, ERROR_FAILED, "'%s' is not an archive of 'machine destroy --save'", archive->path);
        archive->id = xstrdup(end + sizeof(end) - 1 - HASH_HEX_LENGTH);
        make_frame(archive->id, &wanted);
        if (wanted.len != sizeof(end) - 1 || memcmp(wanted.buf, end, wanted.len) != 0)
                return error_set(err, ERROR_FAILED, "'%s' is cut off, or is not an archive of 'machine destroy --save'",
                                 archive->path);
        return 0;
}

int archive_open(const char *path, struct archive *out, struct error **err)
{
        struct stat status;

        out->path = xstrdup(path);
        /* O_NONBLOCK: nobody may ever write to a named pipe. */
        out->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (out->fd < 0 || fstat(out->fd, &status) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read '%s'", path);
        if (!S_ISREG(status.st_mode))
                return error_set(err, ERROR_FAILED, "'%s' is not a file", path);
        return check_frame(out, status.st_size, err) < 0 ? -1 : check_sum(out, err);
}

static int send_all(struct copy_stream *stream, const struct archive *archive, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;

        for (int64_t at = 0; at < archive->length; at += (int64_t)piece_at(archive, at)) {
                size_t length = piece_at(archive, at);

                strbuf_reset(&content);
                strbuf_reserve(&content, OFFSET_BYTES + length);
                memset(content.buf, 0, OFFSET_BYTES);
                if (read_at(archive, content.buf + OFFSET_BYTES, length, at, err) < 0)
                        return -1;
                content.len = OFFSET_BYTES + length;
                if (copy_stream_put_record(stream, 'B', &content, err) < 0)
                        return -1;
        }
        strbuf_reset(&content);
        return copy_stream_put_record(stream, 'Z', &content, err);
}

static int hear_end(struct copy_stream *stream, struct strv *aside, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        char letter = 0;

        while (letter != 'Z') {
                if (copy_stream_take(stream, &letter, &content, err) < 0)
                        return -1;
                if (letter == 'L' && aside->count < ASIDE_MOST)
                        strv_take(aside, text_visible_dup(content.buf));
                else if (letter != 'Z' && letter != 'L')
                        return error_set(err, ERROR_FAILED, "the guest's answer makes no sense");
        }
        return 0;
}

int archive_unpack(const struct vm *vm, const struct archive *archive, struct strv *aside, struct error **err)
{
        _cleanup_(copy_stream_clear) struct copy_stream stream = COPY_STREAM_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_add(&args, archive->id);
        if (copy_stream_open(vm, "work-unpack.sh", &args, &stream, err) < 0 || send_all(&stream, archive, err) < 0 ||
            hear_end(&stream, aside, err) < 0) {
                error_set_kind(err, ERROR_STEP);
                return error_wrap(err, "cannot bring back what '%s' has into VM '%s'", archive->path, vm->name);
        }
        return 0;
}
