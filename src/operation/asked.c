#include "operation/asked.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "guest/session.h"
#include "lib/file.h"
#include "lib/text.h"

/* Of one file; machine-keys begins the next one at a smaller size (keys/record.h). */
#define FILE_MOST (16 << 20)

/* Adds a line of machine-keys; a line that a full disk cut off is skipped. */
static void add_line(const char *line, size_t length, json_t *all)
{
        json_t *entry = json_parse(line, length, "the log", NULL);

        if (entry)
                json_array_append_new(all, entry);
}

/* Reads the complete lines of an open file from `start` on. Returns where they end, or -1. */
static off_t read_lines(int fd, off_t start, const char *path, json_t *all, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        const char *line;
        const char *end;

        if (lseek(fd, start, SEEK_SET) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read '%s'", path);
        if (file_read_fd(fd, path, FILE_MOST, &text, err) < 0)
                return -1;
        for (line = text.buf; (end = strchr(line, '\n')); line = end + 1)
                add_line(line, (size_t)(end - line), all);
        return start + (line - text.buf);
}

/* A missing file has inode number 0, and is not an error. */
static int open_file(const char *path, struct stat *status, struct error **err)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        *status = (struct stat){ 0 };
        if (fd < 0 && errno != ENOENT)
                error_errno(err, ERROR_FAILED, "cannot open '%s'", path);
        if (fd >= 0)
                fstat(fd, status);
        return fd;
}

/* Reads the rest of the file that was read until now, when it was full and has become the old one. The first look reads all of
 * the old one. */
static int read_old(const char *path, const struct asked_file *seen, json_t *all, struct error **err)
{
        _cleanup_(freep) char *old = xasprintf("%s.old", path);
        struct stat status;
        _cleanup_(closep) int fd = open_file(old, &status, NULL);

        if (fd < 0 || (seen->begun && status.st_ino != seen->file))
                return 0;
        return read_lines(fd, seen->begun ? seen->end : 0, old, all, err) < 0 ? -1 : 0;
}

/* Reads what has come since the last look. */
static int read_file(const char *path, struct asked_file *seen, json_t *all, struct error **err)
{
        struct stat status;
        _cleanup_(closep) int fd = open_file(path, &status, err);
        off_t start = seen->begun && status.st_ino == seen->file && status.st_size >= seen->end ? seen->end : 0;
        off_t end;

        if (fd < 0 && errno != ENOENT)
                return -1;
        /* The new file is opened first: one that becomes the old file at this moment is read twice rather than not at all. */
        if ((!seen->begun || status.st_ino != seen->file) && read_old(path, seen, all, err) < 0)
                return -1;
        end = fd < 0 ? 0 : read_lines(fd, start, path, all, err);
        if (end < 0)
                return -1;
        *seen = (struct asked_file){ .begun = true, .file = status.st_ino, .end = end };
        return 0;
}

static const char *text_of(const json_t *entry, const char *key)
{
        return json_string_value(json_object_get(entry, key));
}

static int compare_times(const void *a, const void *b)
{
        const char *left = text_of(*(json_t *const *)a, "time");
        const char *right = text_of(*(json_t *const *)b, "time");

        return strcmp(left ? left : "", right ? right : "");
}

static json_t *sort_by_time(const json_t *all)
{
        size_t count = json_array_size(all);
        _cleanup_(freep) json_t **entries = xreallocarray(NULL, count + 1, sizeof(json_t *));
        json_t *sorted = json_array();

        for (size_t i = 0; i < count; i++)
                entries[i] = json_array_get(all, i);
        qsort(entries, count, sizeof(json_t *), compare_times);
        for (size_t i = 0; i < count; i++)
                json_array_append(sorted, entries[i]);
        return sorted;
}

json_t *asked_read(const struct vm *vm, struct asked *seen, struct error **err)
{
        _cleanup_(freep) char *done = path_join(vm->folder, SESSION_KEYS_LOG);
        _cleanup_(freep) char *other = xasprintf("%s.refused", done);
        _cleanup_(json_decrefp) json_t *all = json_array();

        if (read_file(done, &seen->done, all, err) < 0 || read_file(other, &seen->other, all, err) < 0)
                return NULL;
        return sort_by_time(all);
}
