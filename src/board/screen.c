#include "board/screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "board/press.h"
#include "lib/process.h"
#include "term/terminal.h"

#define ESCAPE_MS 50

enum { PAIR_GOOD = 1, PAIR_HALF, PAIR_BAD };

/* What puts the terminal right without ncurses. */
struct remedy {
        char *path;                    /* of the terminal */
        struct termios settings, ours; /* before, and while the board is shown */
        char *ending;                  /* leaves the alternate screen, shows the cursor, … */
};

static SCREEN *screen;
static struct terminal terminal;
static struct remedy remedy;
static struct process_guard guard = PROCESS_GUARD_INIT;
static bool taken;
static bool has_other_screen; /* that the terminal shows instead of the one with the board */

/* Appends a string of terminfo(5), without the delays that are written in it. Returns false when the terminal has none. */
static bool add_capability(struct strbuf *out, const char *name)
{
        _cleanup_(freep) char *asked = xstrdup(name); /* macOS's takes no constant */
        const char *text = tigetstr(asked);

        if (!text || (intptr_t)text == -1)
                return false;
        while (*text) {
                size_t length = strcspn(text, "$");
                const char *end = starts_with(text + length, "$<") ? strchr(text + length, '>') : NULL;

                strbuf_add(out, text, length + (text[length] && !end));
                text = end ? end + 1 : text + length + (text[length] != '\0');
        }
        return true;
}

/* Are they still as the board has them? A shell that was told of our end has put in its own, and must keep them. */
static bool are_ours(int fd, const struct termios *ours)
{
        struct termios now;

        return tcgetattr(fd, &now) == 0 && now.c_lflag == ours->c_lflag && now.c_iflag == ours->c_iflag &&
               now.c_oflag == ours->c_oflag;
}

/* Runs in a process of its own, which has no terminal, after we were killed. */
static void put_right(void *data)
{
        const struct remedy *known = data;
        int fd = open(known->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

        if (fd < 0)
                return;
        (void)write_all(fd, known->ending, strlen(known->ending));
        if (are_ours(fd, &known->ours))
                tcsetattr(fd, TCSANOW, &known->settings);
        close(fd);
}

static void learn_remedy(void)
{
        _cleanup_(strbuf_clear) struct strbuf ending = STRBUF_INIT;
        const char *path = ttyname(STDOUT_FILENO);

        add_capability(&ending, "sgr0");
        add_capability(&ending, "rmkx");
        add_capability(&ending, "cnorm");
        has_other_screen = add_capability(&ending, "rmcup");
        strbuf_adds(&ending, "\r\n");
        remedy.path = xstrdup(path ? path : "/dev/tty");
        remedy.ending = strbuf_take(&ending);
}

static void choose_colors(void)
{
        if (!terminal.color || !has_colors() || start_color() == ERR)
                return;
        use_default_colors();
        init_pair(PAIR_GOOD, COLOR_GREEN, -1);
        init_pair(PAIR_HALF, COLOR_YELLOW, -1);
        init_pair(PAIR_BAD, COLOR_RED, -1);
}

int screen_take(struct error **err)
{
        if (taken)
                return 0;
        refresh();
        tcgetattr(STDIN_FILENO, &remedy.ours);
        if (process_guard_begin(&guard, put_right, &remedy, err) < 0)
                return -1;
        taken = true;
        return 0;
}

int screen_open(struct error **err)
{
        terminal = terminal_of(STDOUT_FILENO);
        if (!terminal.live || !isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &remedy.settings) < 0) {
                error_set(err, ERROR_USAGE, "the board needs a terminal that can move its cursor");
                return error_hint(err, "machine list --watch");
        }
        screen = newterm(NULL, stdout, stdin);
        if (!screen) {
                error_set(err, ERROR_USAGE, "nothing is known here of the terminal '%s'", getenv("TERM"));
                return error_hint(err, "machine list --watch");
        }
        learn_remedy();
        choose_colors();
        raw();
        noecho();
        nonl();
        keypad(stdscr, true);
        nodelay(stdscr, true);
        set_escdelay(ESCAPE_MS);
        curs_set(0);
        if (screen_take(err) == 0)
                return 0;
        endwin();
        return -1;
}

bool screen_is_lost(void)
{
        pid_t owner = tcgetpgrp(STDIN_FILENO); /* -1 for one that is not the terminal of our session */

        return owner > 0 && owner != getpgrp();
}

/* Who has the terminal by now may have settings of its own on it. The kernel lets us touch it only when we ignore SIGTTOU. */
void screen_give_up(void)
{
        struct sigaction ignore = { .sa_handler = SIG_IGN }, before;

        if (!taken)
                return;
        if (screen_is_lost()) {
                sigaction(SIGTTOU, &ignore, &before);
                put_right(&remedy);
                sigaction(SIGTTOU, &before, NULL);
        } else {
                if (!has_other_screen) {
                        erase();
                        refresh();
                }
                endwin();
        }
        process_guard_end(&guard);
        taken = false;
}

void screen_close(void)
{
        if (!screen)
                return;
        screen_give_up();
        delscreen(screen);
        screen = NULL;
        free(remedy.path);
        free(remedy.ending);
}

void screen_canvas(struct canvas *canvas)
{
        size_t columns, rows;

        terminal_size(&terminal, &columns, &rows);
        if ((int)columns != COLS || (int)rows != LINES)
                resizeterm((int)rows, (int)columns);
        canvas_begin(canvas, columns, rows, terminal.unicode);
}

static int attributes_of(unsigned style)
{
        int color = style & STYLE_BAD ? PAIR_BAD : style & STYLE_HALF ? PAIR_HALF : style & STYLE_GOOD ? PAIR_GOOD : 0;

        return (style & STYLE_STRONG ? (int)A_BOLD : 0) | (style & STYLE_FAINT ? (int)A_DIM : 0) |
               (style & STYLE_REVERSED ? (int)A_REVERSE : 0) | (color && terminal.color ? (int)COLOR_PAIR(color) : 0);
}

void screen_paint(const struct canvas *canvas, bool anew)
{
        erase();
        for (size_t row = 0; row < canvas->height; row++) {
                move((int)row, 0);
                for (size_t i = 0; i < canvas->lines[row].count; i++) {
                        attrset(attributes_of(canvas->lines[row].spans[i].style));
                        addstr(canvas->lines[row].spans[i].text);
                }
        }
        if (anew)
                clearok(curscr, true);
        refresh();
}

static const struct {
        int theirs, ours;
} keys[] = {
        { KEY_UP, KEY_OF_UP },         { KEY_DOWN, KEY_OF_DOWN },
        { KEY_PPAGE, KEY_OF_PAGE_UP }, { KEY_NPAGE, KEY_OF_PAGE_DOWN },
        { KEY_HOME, KEY_OF_FIRST },    { KEY_END, KEY_OF_LAST },
        { KEY_ENTER, '\r' },           { KEY_BACKSPACE, KEY_OF_BACKSPACE },
};

int screen_key(void)
{
        int key = getch();

        if (key == ERR)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (keys[i].theirs == key)
                        return keys[i].ours;
        /* Others of ncurses' own keys do nothing here. */
        return key < 256 ? key : 0;
}
