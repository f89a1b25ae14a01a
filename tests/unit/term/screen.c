#include "screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "term/width.h"

#define CELL_MOST 8 /* bytes of a character with its marks */

struct row {
        char cells[256][CELL_MOST]; /* "" = empty; the right half of a wide character is "\1" */
};

struct screen {
        int master, slave, before;
        size_t columns, rows;
        struct row *lines; /* from the first row ever written */
        size_t line_count;
        size_t row, column;
        struct strbuf bytes; /* all that were ever written */
        size_t done;         /* how many of them are on the grid */
};

static void set_size(const struct screen *screen)
{
        struct winsize size = { .ws_col = (unsigned short)screen->columns, .ws_row = (unsigned short)screen->rows };

        assert_int_equal(ioctl(screen->slave, TIOCSWINSZ, &size), 0);
}

struct screen *screen_new(unsigned short columns, unsigned short rows)
{
        struct screen *screen = xcalloc(1, sizeof(*screen));

        assert_int_equal(openpty(&screen->master, &screen->slave, NULL, NULL, NULL), 0);
        assert_int_equal(fcntl(screen->master, F_SETFL, O_NONBLOCK), 0);
        screen->columns = columns;
        screen->rows = rows;
        screen->bytes = (struct strbuf)STRBUF_INIT;
        set_size(screen);
        fflush(NULL);
        screen->before = dup(STDERR_FILENO);
        dup2(screen->slave, STDERR_FILENO);
        return screen;
}

void screen_free(struct screen *screen)
{
        dup2(screen->before, STDERR_FILENO);
        close(screen->before);
        close(screen->slave);
        close(screen->master);
        strbuf_clear(&screen->bytes);
        free(screen->lines);
        free(screen);
}

static struct row *line_at(struct screen *screen, size_t row)
{
        while (screen->line_count <= row) {
                screen->lines = xreallocarray(screen->lines, screen->line_count + 1, sizeof(*screen->lines));
                memset(&screen->lines[screen->line_count++], 0, sizeof(*screen->lines));
        }
        return &screen->lines[row];
}

/* The first row that the cursor can still reach. */
static size_t top(const struct screen *screen)
{
        return screen->line_count > screen->rows ? screen->line_count - screen->rows : 0;
}

static void put(struct screen *screen, const char *character, size_t length)
{
        _cleanup_(freep) char *text = xstrndup(character, length);
        size_t width = width_of(text);
        struct row *line;

        assert_true(length < CELL_MOST);
        if (screen->column + width > screen->columns) {
                screen->column = 0;
                screen->row++;
        }
        line = line_at(screen, screen->row);
        memset(line->cells[screen->column], 0, CELL_MOST);
        memcpy(line->cells[screen->column], text, length);
        if (width == 2)
                memcpy(line->cells[screen->column + 1], "\1", 2);
        screen->column += width;
}

/* Obeys an escape sequence. Returns its length. */
static size_t obey(struct screen *screen, const char *text)
{
        size_t length = 2 + strspn(text + 2, "0123456789;?");
        size_t number = (size_t)strtoul(text + 2, NULL, 10);
        struct row *line = line_at(screen, screen->row);

        assert_int_equal(text[1], '[');
        switch (text[length]) {
        case 'A':
                number = number ? number : 1;
                screen->row = screen->row >= top(screen) + number ? screen->row - number : top(screen);
                break;
        case 'J':
                /* When everything from the screen's first cell on is cleared, tmux keeps it above the screen. */
                assert_false(screen->row == top(screen) && screen->column == 0 && *line->cells[0]);
                for (size_t i = screen->row + 1; i < screen->line_count; i++)
                        memset(&screen->lines[i], 0, sizeof(*screen->lines));
                /* fall through */
        case 'K':
                memset(&line->cells[screen->column], 0, (ARRAY_SIZE(line->cells) - screen->column) * CELL_MOST);
                break;
        case 'm':
                break;
        default:
                fail_msg("the terminal doesn't know ESC%.*s", (int)length, text + 1);
        }
        return length + 1;
}

static size_t character_length(const char *text)
{
        size_t length = 1;

        while ((text[length] & 0xc0) == 0x80)
                length++;
        return length;
}

static void take_in(struct screen *screen)
{
        char block[4096];
        ssize_t got;

        while ((got = read(screen->master, block, sizeof(block))) > 0)
                strbuf_add(&screen->bytes, block, (size_t)got);
        assert_true(got < 0 && errno == EAGAIN);
        while (screen->done < screen->bytes.len) {
                const char *text = screen->bytes.buf + screen->done;
                size_t length = 1;

                line_at(screen, screen->row);
                if (*text == '\r')
                        screen->column = 0;
                else if (*text == '\n')
                        line_at(screen, ++screen->row);
                else if (*text == '\033')
                        length = obey(screen, text);
                else
                        put(screen, text, length = character_length(text));
                screen->done += length;
        }
}

/* The text of a row. Owned by the caller. */
static char *row_text(const struct row *row)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(row->cells); i++)
                if (*row->cells[i] != '\1')
                        strbuf_adds(&text, *row->cells[i] ? row->cells[i] : " ");
        strbuf_trim_end(&text);
        return strbuf_take(&text);
}

/* Writes all rows again at the new width. The cursor keeps its place in the text. */
void screen_resize(struct screen *screen, unsigned short columns, unsigned short rows)
{
        struct screen old;

        take_in(screen);
        old = *screen;
        screen->lines = NULL;
        screen->line_count = screen->row = screen->column = 0;
        screen->columns = columns;
        screen->rows = rows;
        for (size_t i = 0; i < old.line_count; i++) {
                _cleanup_(freep) char *text = row_text(&old.lines[i]);

                line_at(screen, screen->row);
                for (const char *c = text; *c; c += character_length(c))
                        put(screen, c, character_length(c));
                if (i < old.row) {
                        screen->column = 0;
                        screen->row++;
                }
        }
        line_at(screen, screen->row);
        screen->column = old.column;
        free(old.lines);
        set_size(screen);
}

char *screen_text(struct screen *screen)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        take_in(screen);
        for (size_t i = 0; i < screen->line_count; i++) {
                _cleanup_(freep) char *row = row_text(&screen->lines[i]);

                strbuf_addf(&text, "%s\n", row);
        }
        strbuf_trim_end(&text);
        return strbuf_take(&text);
}

static char *wait_until(struct screen *screen, const char *text, bool there)
{
        deadline limit = deadline_in(5000);

        while (!deadline_passed(limit)) {
                struct pollfd output = { .fd = screen->master, .events = POLLIN };
                char *seen = screen_text(screen);

                if (!strstr(seen, text) != there)
                        return seen;
                free(seen);
                poll(&output, 1, deadline_left(limit));
        }
        return NULL;
}

char *screen_wait(struct screen *screen, const char *text)
{
        return wait_until(screen, text, true);
}

char *screen_wait_gone(struct screen *screen, const char *text)
{
        return wait_until(screen, text, false);
}

const struct strbuf *screen_bytes(struct screen *screen)
{
        take_in(screen);
        return &screen->bytes;
}

size_t screen_cursor_row(const struct screen *screen)
{
        return screen->row;
}

size_t screen_cursor_column(const struct screen *screen)
{
        return screen->column;
}
