/* Writes what a guest sends as files: a strict reader of the records in copy-stream.h that writes below one folder and nowhere
 * else. */
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/copy-stream.h"
#include "lib/text.h"

#define NAME_MOST 255
#define TOP_NAME  "copy"

/* The names that make git take a folder for a repository: HEAD, and one of the others. */
struct marks {
        bool head, more;
};

struct receiver {
        struct copy_stream *stream;
        struct copy_wish *wish;
        int folders[COPY_DEPTH_MOST + 1]; /* open folders, each in the one before */
        struct marks marks[COPY_DEPTH_MOST + 1];
        size_t depth;       /* of the last one; 0 = where "copy" goes */
        struct strbuf path; /* below "copy", for messages */
        size_t name_at;     /* where the name of the last file or folder begins in `path` */
        int file;           /* the open one; -1 = none */
        int64_t size, written;
        int64_t counted;
        bool whole; /* all that was asked for has come */
};

static void receiver_clear(struct receiver *receiver)
{
        for (size_t i = 1; i <= receiver->depth; i++)
                close(receiver->folders[i]);
        closep(&receiver->file);
        strbuf_clear(&receiver->path);
}

static int broken(struct error **err)
{
        return error_set(err, ERROR_FAILED, "what the guest sends is not a copy");
}

static int64_t number(const char *bytes, size_t count)
{
        uint64_t value = 0;

        for (size_t i = 0; i < count; i++)
                value = value << 8 | (unsigned char)bytes[i];
        return value > INT64_MAX ? -1 : (int64_t)value;
}

/* --- names */

/* Ignores case, as macOS does. */
static bool is_one_of(const char *name, const char *const *names)
{
        for (; *names; names++)
                if (strcasecmp(name, *names) == 0)
                        return true;
        return false;
}

/* A shell's prompt is enough to make git, hg or jj look into a folder and do what the configuration in it says. */
static int check_repo(struct receiver *receiver, const char *name, struct error **err)
{
        static const char *const repos[] = { ".git", ".hg", ".jj", NULL };
        static const char *const more[] = { "objects", "refs", "commondir", NULL };
        struct marks *marks = &receiver->marks[receiver->depth];

        marks->head |= strcasecmp(name, "HEAD") == 0;
        marks->more |= is_one_of(name, more);
        if (receiver->wish->repos || !(is_one_of(name, repos) || (marks->head && marks->more)))
                return 0;
        error_set(err, ERROR_FAILED, "it has a repository, whose configuration can run programs on this computer: '%s'",
                  receiver->path.buf);
        return error_hint(err, "git fetch machine brings its commits; to copy it all the same: machine cp -r --repos");
}

/* Makes the name the last part of the path. Every name but the topmost comes from the guest. */
static int take_name(struct receiver *receiver, const char *name, size_t length, struct error **err)
{
        _cleanup_(freep) char *copy = xstrndup(name, length);
        _cleanup_(freep) char *visible = text_visible_dup(copy);

        strbuf_truncate(&receiver->path, receiver->name_at);
        if (receiver->depth == 0)
                return length == 0 && !receiver->whole ? 0 : broken(err);
        if (length == 0 || length > NAME_MOST || strlen(copy) != length || strchr(copy, '/') || streq(copy, ".") ||
            streq(copy, ".."))
                return broken(err);
        strbuf_adds(&receiver->path, visible);
        if (!streq(copy, visible))
                return error_set(err, ERROR_FAILED, "a name in it has control characters: '%s'", receiver->path.buf);
        return check_repo(receiver, copy, err);
}

static const char *name_of(const struct receiver *receiver)
{
        return receiver->depth == 0 ? TOP_NAME : receiver->path.buf + receiver->name_at;
}

/* Returns the path for a message: 'a/b', or 'copy' for what was asked for itself. */
static const char *shown(const struct receiver *receiver)
{
        return receiver->path.len > 0 ? receiver->path.buf : TOP_NAME;
}

/* --- sizes */

static int count(struct receiver *receiver, int64_t bytes, struct error **err)
{
        int64_t most = receiver->wish->most;
        _cleanup_(freep) char *limit = NULL;

        if (bytes >= 0 && bytes <= most - receiver->counted) {
                receiver->counted += bytes < COPY_ENTRY_BYTES ? COPY_ENTRY_BYTES : bytes;
                return 0;
        }
        limit = text_format_size(most);
        error_set(err, ERROR_FAILED, "it is larger than %s", limit);
        return error_hint(err, "machine cp --max-size SIZE lets more pass");
}

/* --- records */

/* Sets the file's size: nothing was written at its end when it ends in a hole. */
static int end_file(struct receiver *receiver, struct error **err)
{
        int fd = receiver->file;

        if (fd < 0)
                return 0;
        if (ftruncate(fd, receiver->size) < 0 || close(TAKE_FD(receiver->file)) < 0)
                return error_errno(err, ERROR_FAILED, "cannot write '%s'", shown(receiver));
        receiver->whole = receiver->depth == 0;
        return 0;
}

static int begin_file(struct receiver *receiver, const struct strbuf *content, struct error **err)
{
        mode_t mode;

        if (content->len < 12 || end_file(receiver, err) < 0)
                return content->len < 12 ? broken(err) : -1;
        mode = (mode_t)number(content->buf, 4) & 0777;
        receiver->size = number(content->buf + 4, 8);
        receiver->written = 0;
        if (take_name(receiver, content->buf + 12, content->len - 12, err) < 0 || count(receiver, receiver->size, err) < 0)
                return -1;
        if (receiver->depth == 0)
                receiver->stream->length = (int64_t)receiver->size;
        receiver->file = openat(receiver->folders[receiver->depth], name_of(receiver),
                                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode | 0200);
        return receiver->file < 0 ? error_errno(err, ERROR_FAILED, "cannot write '%s'", shown(receiver)) : 0;
}

static int begin_folder(struct receiver *receiver, const struct strbuf *content, struct error **err)
{
        int above = receiver->folders[receiver->depth];
        int fd;

        if (content->len < 4 || end_file(receiver, err) < 0)
                return content->len < 4 ? broken(err) : -1;
        if (take_name(receiver, content->buf + 4, content->len - 4, err) < 0 || count(receiver, 0, err) < 0)
                return -1;
        if (!receiver->wish->recursive) {
                error_set(err, ERROR_USAGE, "it is a folder");
                return error_hint(err, "machine cp -r copies folders");
        }
        if (receiver->depth == COPY_DEPTH_MOST)
                return error_set(err, ERROR_FAILED, "it is nested too deep: '%s'", shown(receiver));
        if (mkdirat(above, name_of(receiver), ((mode_t)number(content->buf, 4) & 0777) | 0700) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make '%s'", shown(receiver));
        fd = openat(above, name_of(receiver), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", shown(receiver));
        if (receiver->depth > 0)
                strbuf_addc(&receiver->path, '/');
        receiver->name_at = receiver->path.len;
        receiver->folders[++receiver->depth] = fd;
        receiver->marks[receiver->depth] = (struct marks){ 0 };
        return 0;
}

/* Closes the folder. The path then ends with this folder, and no longer with the last thing in it. */
static int end_folder(struct receiver *receiver, struct error **err)
{
        const char *slash;

        if (receiver->depth == 0)
                return broken(err);
        if (end_file(receiver, err) < 0)
                return -1;
        strbuf_truncate(&receiver->path, receiver->name_at > 0 ? receiver->name_at - 1 : 0);
        slash = text_last(receiver->path.buf, receiver->path.len, '/');
        receiver->name_at = slash ? (size_t)(slash + 1 - receiver->path.buf) : 0;
        close(receiver->folders[receiver->depth--]);
        receiver->whole = receiver->depth == 0;
        return 0;
}

static int write_bytes(struct receiver *receiver, const struct strbuf *content, struct error **err)
{
        int64_t at = content->len < 8 ? -1 : number(content->buf, 8);
        size_t length = at < 0 ? 0 : content->len - 8;
        const char *data = content->buf + 8;

        if (receiver->file < 0 || at < receiver->written || (int64_t)length > receiver->size - at)
                return broken(err);
        while (length > 0) {
                ssize_t done = pwrite(receiver->file, data, length, at);

                if (done < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot write '%s'", shown(receiver));
                if (done > 0) {
                        data += done;
                        length -= (size_t)done;
                        at += done;
                }
        }
        receiver->written = at;
        return 0;
}

/* Returns 1 after the last record. */
static int take(struct receiver *receiver, char letter, const struct strbuf *content, struct error **err)
{
        switch (letter) {
        case 'D':
                return begin_folder(receiver, content, err);
        case 'F':
                return begin_file(receiver, content, err);
        case 'B':
                return write_bytes(receiver, content, err);
        case 'U':
                return end_folder(receiver, err);
        case 'L':
                receiver->wish->left_out++;
                return receiver->depth > 0 ? 0 : broken(err);
        case 'Z':
                if (end_file(receiver, err) < 0)
                        return -1;
                return receiver->whole ? 1 : broken(err);
        default:
                return broken(err);
        }
}

int copy_receive(struct copy_stream *stream, int folder, struct copy_wish *wish, struct error **err)
{
        _cleanup_(receiver_clear) struct receiver receiver = {
                .stream = stream, .wish = wish, .folders = { folder }, .path = STRBUF_INIT, .file = -1
        };
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        int got = 0;

        while (got == 0) {
                char letter;

                got = copy_stream_take(stream, &letter, &content, err);
                if (got == 0)
                        got = take(&receiver, letter, &content, err);
        }
        return got < 0 ? -1 : 0;
}
