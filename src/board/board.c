#include "board/board.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "board/child.h"
#include "board/looker.h"
#include "board/paint.h"
#include "board/press.h"
#include "board/screen.h"
#include "board/signals.h"
#include "lib/text.h"

/* A terminal that is gone can be read from, without end. */
#define NOTHING_READ_MOST 3

struct showing {
        struct board board;
        bool ended, anew;
        unsigned nothing_read;
};

static void paint(struct showing *showing)
{
        _cleanup_(canvas_clear) struct canvas canvas = CANVAS_INIT;

        screen_canvas(&canvas);
        board_paint(&showing->board, &canvas);
        screen_paint(&canvas, showing->anew);
        showing->anew = false;
}

static int suspend(struct showing *showing, struct error **err)
{
        looker_rest();
        screen_give_up();
        signals_stop();
        looker_hurry();
        showing->anew = true;
        return screen_take(err);
}

static int run(struct showing *showing, const struct board_action *action, struct error **err)
{
        const char *const *argv = strv_argv(&action->argv);
        _cleanup_(freep) char *said = text_shell_join(argv);
        _cleanup_(error_freep) struct error *trouble = NULL;
        int status;

        looker_rest();
        screen_give_up();
        status = child_run(argv, action->read, &showing->ended, &trouble);
        looker_hurry();
        if (status < 0) {
                _cleanup_(freep) char *text = error_text(trouble);

                board_say(&showing->board, true, "%s", text);
        } else if (status == 128 + SIGINT) {
                board_say(&showing->board, false, "machine %s: stopped", said);
        } else if (status > 0) {
                board_say(&showing->board, true, "machine %s: exit status %d", said, status);
        } else {
                board_say(&showing->board, false, "machine %s: done", said);
        }
        showing->anew = true;
        return showing->ended ? 0 : screen_take(err);
}

static int act(struct showing *showing, const struct board_action *action, struct error **err)
{
        switch (action->act) {
        case ACT_QUIT:
                showing->ended = true;
                return 0;
        case ACT_SUSPEND:
                return suspend(showing, err);
        case ACT_REPAINT:
                showing->anew = true;
                return 0;
        case ACT_RUN:
                return run(showing, action, err);
        default:
                return 0;
        }
}

static int take_keys(struct showing *showing, struct error **err)
{
        struct board_action action = BOARD_ACTION_INIT;
        int status = 0, key;
        bool any = false;

        while (status == 0 && !showing->ended && (key = screen_key()) >= 0) {
                any = true;
                board_press(&showing->board, key, &action);
                status = act(showing, &action, err);
        }
        board_action_clear(&action);
        showing->nothing_read = any ? 0 : showing->nothing_read + 1;
        if (showing->nothing_read > NOTHING_READ_MOST)
                showing->ended = true;
        return status;
}

static int take_signals(struct showing *showing, struct error **err)
{
        struct board_sample sample;
        int status = 0, number;

        while (status == 0 && (number = signals_take()) >= 0) {
                if (number == SIGTERM || number == SIGHUP || number == SIGINT)
                        showing->ended = true;
                else if (number == SIGTSTP)
                        status = suspend(showing, err);
                else if (number == SIGCONT || number == SIGWINCH)
                        showing->anew = true;
        }
        if (looker_take(&sample))
                board_update(&showing->board, &sample);
        if (screen_is_lost())
                showing->ended = true;
        return status;
}

static int show(struct showing *showing, struct error **err)
{
        struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = signals_fd(), .events = POLLIN } };
        int status = 0;

        while (status == 0 && !showing->ended) {
                paint(showing);
                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot wait for a key");
                if (fds[1].revents)
                        status = take_signals(showing, err);
                if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
                        showing->ended = true;
                else if (status == 0 && fds[0].revents)
                        status = take_keys(showing, err);
        }
        return status;
}

int board_run(const char *message, struct error **err)
{
        struct showing showing = { .board = BOARD_INIT };
        int status, fd;

        if (message)
                board_say(&showing.board, false, "%s", message);
        status = signals_catch(&fd, err) < 0 || screen_open(err) < 0 || looker_start(fd, err) < 0 ? -1 : show(&showing, err);
        screen_close();
        board_clear(&showing.board);
        return status;
}
