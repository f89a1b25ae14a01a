#include "term/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define WRITE_TIMEOUT_MS 5000

static const char *const codes[] = {
        [STYLE_PLAIN] = "", [STYLE_BOLD] = "1",   [STYLE_DIM] = "2",
        [STYLE_RED] = "31", [STYLE_GREEN] = "32", [STYLE_YELLOW] = "33",
};

struct terminal terminal_of(int fd)
{
        const char *kind = getenv("TERM");
        const char *no_color = getenv("NO_COLOR");
        bool live = isatty(fd) && kind && *kind && !streq(kind, "dumb");

        return (struct terminal){
                .fd = fd,
                .live = live,
                .color = live && !(no_color && *no_color),
                .unicode = streq(nl_langinfo(CODESET), "UTF-8"),
        };
}

void terminal_size(const struct terminal *terminal, size_t *columns, size_t *rows)
{
        struct winsize size = { 0 };

        if (ioctl(terminal->fd, TIOCGWINSZ, &size) < 0)
                size = (struct winsize){ 0 };
        *columns = size.ws_col ? size.ws_col : 80;
        *rows = size.ws_row ? size.ws_row : 24;
}

size_t terminal_columns(int fd)
{
        struct terminal terminal = { .fd = fd };
        size_t columns, rows;

        if (!isatty(fd))
                return SIZE_MAX;
        terminal_size(&terminal, &columns, &rows);
        return columns;
}

/* ssh sometimes leaves the terminal that we share with it non-blocking. Returns 1 when it can be written to again in time. */
static int wait_writable(int fd)
{
        struct pollfd output = { .fd = fd, .events = POLLOUT };

        return poll(&output, 1, WRITE_TIMEOUT_MS);
}

void terminal_write(const struct terminal *terminal, const struct strbuf *text)
{
        for (size_t done = 0; done < text->len;) {
                ssize_t written = write(terminal->fd, text->buf + done, text->len - done);

                if (written > 0)
                        done += (size_t)written;
                else if (written < 0 && errno == EAGAIN && wait_writable(terminal->fd) == 1)
                        continue;
                else if (written < 0 && errno != EINTR)
                        return;
        }
}

void terminal_style(const struct terminal *terminal, struct strbuf *out, enum style style, const char *text)
{
        if (terminal->color && style != STYLE_PLAIN)
                strbuf_addf(out, "\033[%sm%s\033[m", codes[style], text);
        else
                strbuf_adds(out, text);
}
