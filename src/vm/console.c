#include "vm/console.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/said.h"
#include "lib/text.h"

#define LINE_LIMIT  400
#define QUOTE_BYTES 8192
/* A guest can write faster than we can show */
#define REPORT_BYTES (256 << 10)

int console_rotate(const char *path, struct error **err)
{
        _cleanup_(freep) char *old = xasprintf("%s.1", path);
        _cleanup_(closep) int fd = -1;

        if (rename(path, old) < 0 && errno != ENOENT)
                return error_errno(err, ERROR_FAILED, "cannot rename '%s'", path);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        return fd < 0 ? error_errno(err, ERROR_FAILED, "cannot make '%s'", path) : 0;
}

void console_clear(struct console *console)
{
        closep(&console->fd);
        console->fd = -1;
        strbuf_clear(&console->partial);
}

int console_follow(struct console *console, const char *path, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

        if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", path);
        console->fd = TAKE_FD(fd);
        return 0;
}

/* Goes to where the last `lines` lines begin. The end of the last line begins no other. */
static int seek_lines(int fd, size_t lines)
{
        char block[4096];
        off_t size = lseek(fd, 0, SEEK_END);
        off_t at = size;

        while (at > 0) {
                off_t from = at > (off_t)sizeof(block) ? at - (off_t)sizeof(block) : 0;
                ssize_t got = pread(fd, block, (size_t)(at - from), from);

                if (got <= 0)
                        break;
                for (ssize_t i = got; i > 0; i--)
                        if (block[i - 1] == '\n' && from + i < size && lines-- <= 1)
                                return lseek(fd, from + i, SEEK_SET) < 0 ? -1 : 0;
                at = from;
        }
        return size < 0 || lseek(fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

int console_follow_last(struct console *console, const char *path, size_t lines, struct error **err)
{
        if (console_follow(console, path, err) < 0)
                return -1;
        if (lines > 0 && seek_lines(console->fd, lines) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read '%s'", path);
        return 0;
}

static void report_line(struct strbuf *line, struct event_sink *events)
{
        _cleanup_(strbuf_clear) struct strbuf plain = STRBUF_INIT;

        said_plain(&plain, line->buf, line->len);
        strbuf_trim_end(&plain);
        if (plain.len > 0)
                event_line(events, plain.buf);
        strbuf_reset(line);
}

/* Goes on at the end of a file that has become shorter: what it holds now was reported before, or is left out. */
static void find_end(struct console *console)
{
        struct stat status;

        if (fstat(console->fd, &status) < 0 || status.st_size >= lseek(console->fd, 0, SEEK_CUR))
                return;
        lseek(console->fd, 0, SEEK_END);
        strbuf_reset(&console->partial);
}

bool console_report(struct console *console, struct event_sink *events)
{
        size_t limit = console->line_limit > 0 ? console->line_limit : LINE_LIMIT;
        char block[4096];

        find_end(console);
        for (size_t total = 0; total < REPORT_BYTES;) {
                ssize_t got = read(console->fd, block, sizeof(block));

                if (got <= 0)
                        return false;
                for (ssize_t i = 0; i < got; i++) {
                        if (block[i] == '\n' || block[i] == '\r')
                                report_line(&console->partial, events);
                        else if (console->partial.len < limit)
                                strbuf_addc(&console->partial, block[i]);
                }
                total += (size_t)got;
        }
        return true;
}

void console_report_rest(struct console *console, struct event_sink *events)
{
        report_line(&console->partial, events);
}

/* Reads the end of the file, at most QUOTE_BYTES. */
static ssize_t read_end(const char *path, char *block)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat status;
        off_t from;

        if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
                return -1;
        from = status.st_size > QUOTE_BYTES ? status.st_size - QUOTE_BYTES : 0;
        return pread(fd, block, QUOTE_BYTES, from);
}

/* Where the line that ends at `end` begins. */
static ssize_t line_begin(const char *block, ssize_t end)
{
        while (end > 0 && block[end - 1] != '\n')
                end--;
        return end;
}

void console_quote(struct strbuf *out, const char *path, size_t count)
{
        char block[QUOTE_BYTES];
        ssize_t length = read_end(path, block);
        _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;

        for (ssize_t end = length; end > 0 && count > 0;) {
                ssize_t begin = line_begin(block, end);
                size_t shown = (size_t)(end - begin) < LINE_LIMIT ? (size_t)(end - begin) : LINE_LIMIT;
                _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
                const char *text = text_shown(block + begin, &shown, " \t\r");

                said_plain(&line, text, shown);
                strbuf_trim_end(&line);
                if (line.len > 0) {
                        if (quoted.len > 0)
                                strbuf_adds(&line, "; ");
                        strbuf_add(&line, quoted.buf, quoted.len);
                        strbuf_reset(&quoted);
                        strbuf_add(&quoted, line.buf, line.len);
                        count--;
                }
                end = begin - 1;
        }
        strbuf_add(out, quoted.buf, quoted.len);
}
