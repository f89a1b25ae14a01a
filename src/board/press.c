#include "board/press.h"

#include <sys/types.h>

#include "lib/text.h"

#define CTRL(letter) ((letter)&0x1f)
#define TYPED_MOST   64

void board_action_clear(struct board_action *action)
{
        strv_clear(&action->argv);
        *action = (struct board_action)BOARD_ACTION_INIT;
}

static void run(struct board_action *out, const char *command, const char *name)
{
        out->act = ACT_RUN;
        strv_adds(&out->argv, command, name, NULL);
}

static void ask(struct board *board, enum board_prompt prompt, const struct board_vm *vm, const char *typed)
{
        board->prompt = prompt;
        set_string(&board->subject, xstrdup(vm ? vm->name : ""));
        set_string(&board->typed, xstrdup(typed));
}

/* --- keys that move */

static void press_up(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board_move(board, -1);
}

static void press_down_row(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board_move(board, 1);
}

static ssize_t page(const struct board *board)
{
        return board->page > 1 ? (ssize_t)board->page - 1 : 1;
}

static void press_page_up(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board_move(board, -page(board));
}

static void press_page_down(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board_move(board, page(board));
}

static void press_first(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board_move(board, -(ssize_t)board->count);
}

static void press_last(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board_move(board, (ssize_t)board->count);
}

static void press_next(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        if (!board_next_needy(board))
                board_say(board, false, board->filter ? "none of these needs you; Esc lists all" : "no VM needs you");
}

/* --- keys that run something */

static void press_shell(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        run(out, "ssh", vm->name);
}

static void press_agent(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        ask(board, PROMPT_AGENT, vm, board->agent ? board->agent : "claude");
}

static void press_start(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        run(out, "up", vm->name);
}

static void press_park(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        if (vm->parked)
                run(out, "wake", vm->name);
        else if (vm->alive)
                run(out, "park", vm->name);
        else
                board_say(board, false, "VM '%s' doesn't run", vm->name);
}

static void press_stop(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        if (vm->alive || vm->parked)
                ask(board, PROMPT_DOWN, vm, "");
        else
                board_say(board, false, "VM '%s' doesn't run", vm->name);
}

static void press_fork(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        ask(board, PROMPT_FORK, vm, "");
}

static void press_undo(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        ask(board, PROMPT_UNDO, vm, "");
}

static void press_logs(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        run(out, "logs", vm->name);
        if (vm->alive)
                strv_add(&out->argv, "--follow");
        out->read = true;
}

static void press_egress(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        run(out, "egress", vm->name);
        out->read = true;
}

static void press_status(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        run(out, "status", vm->name);
        out->read = true;
}

/* A first port is offered, as the guest knows it. */
static void press_open(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        const char *first = vm->ports ? vm->ports : "";
        size_t length = strcspn(first, " ");
        const char *colon = memchr(first, ':', length);
        _cleanup_(freep) char *port =
                colon ? xstrndup(colon + 1, length - (size_t)(colon + 1 - first)) : xstrndup(first, length);

        ask(board, PROMPT_PORT, vm, port);
}

/* --- keys of the board */

static void press_filter(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        ask(board, PROMPT_FILTER, vm, board->filter ? board->filter : "");
}

static void press_order(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board_set_order(board, (board->order + 1) % ORDERS);
}

static void press_order_back(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board_set_order(board, (board->order + ORDERS - 1) % ORDERS);
}

static void press_escape(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board_set_filter(board, NULL);
}

static void press_help(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        board->help = true;
        board->help_top = 0;
}

static void press_suspend(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        out->act = ACT_SUSPEND;
}

static void press_repaint(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        out->act = ACT_REPAINT;
}

static void press_quit(struct board *board, const struct board_vm *vm, struct board_action *out)
{
        out->act = ACT_QUIT;
}

const struct board_binding board_bindings[] = {
        { '\r', '\n', "Enter", "shell", "open a shell in the VM; starts or wakes it", press_shell, true },
        { 'a', 0, "a", "agent", "open an agent in it, or come back to one", press_agent, true },
        { 's', 0, "s", "start", "start it, and bring it up to date (machine up)", press_start, true },
        { 'p', 0, "p", "park", "park it; wake it when it is parked", press_park, true },
        { 'd', 0, "d", "stop", "stop it (machine down); asks first", press_stop, true },
        { 'f', 0, "f", "fork", "make a second VM that begins where this one is; asks for its name", press_fork, true },
        { 'u', 0, "u", "undo", "back to before the last agent's run; asks first", press_undo, true },
        { 'l', 0, "l", "logs", "what its console says, until Ctrl-C", press_logs, true },
        { 'e', 0, "e", NULL, "what it has reached, and what it was refused", press_egress, true },
        { 'i', 0, "i", NULL, "its state, and how it differs from its configuration", press_status, true },
        { 'o', 0, "o", NULL, "open a port of it in the browser", press_open, true },
        { 'w', 0, "w", NULL, "go to the next VM that needs you: paused, broken, half set up", press_next, false },
        { 'j', KEY_OF_DOWN, "j, k", NULL, "go down, up; the arrows do, too", press_down_row, false },
        { 'k', KEY_OF_UP, NULL, NULL, NULL, press_up, false },
        { CTRL('f'), KEY_OF_PAGE_DOWN, "PgDn PgUp", NULL, "go down a page, up a page", press_page_down, false },
        { CTRL('b'), KEY_OF_PAGE_UP, NULL, NULL, NULL, press_page_up, false },
        { 'g', KEY_OF_FIRST, "g, G", NULL, "go to the first, to the last; Home and End do, too", press_first, false },
        { 'G', KEY_OF_LAST, NULL, NULL, NULL, press_last, false },
        { '/', 0, "/", "filter", "list what has this in its name, state, profiles or repos; Esc: all", press_filter, false },
        { KEY_OF_ESCAPE, 0, NULL, NULL, NULL, press_escape, false },
        { '>', '.', "<, >", NULL, "sort by the column before, by the next one", press_order, false },
        { '<', ',', NULL, NULL, NULL, press_order_back, false },
        { CTRL('l'), 0, "Ctrl-L", NULL, "paint the screen anew", press_repaint, false },
        { CTRL('z'), 0, "Ctrl-Z", NULL, "give the terminal to the shell; fg comes back", press_suspend, false },
        { '?', 'h', "?", "help", "these keys", press_help, false },
        { 'q', CTRL('c'), "q", "quit", "leave the board", press_quit, false },
        { 0 },
};

/* --- what is typed at the bottom */

char *board_question(const struct board *board)
{
        const char *name = board->subject;

        switch (board->prompt) {
        case PROMPT_FILTER:
                return xstrdup("filter: ");
        case PROMPT_FORK:
                return xasprintf("name of the fork of '%s': ", name);
        case PROMPT_AGENT:
                return xasprintf("agent to open in '%s': ", name);
        case PROMPT_PORT:
                return xasprintf("port of '%s' to open: ", name);
        case PROMPT_DOWN:
                return xasprintf("stop '%s'? What runs in it ends. y/n ", name);
        case PROMPT_UNDO:
                return xasprintf("undo the last agent's run in '%s'? y/n ", name);
        default:
                return NULL;
        }
}

static void finish(struct board *board, struct board_action *out)
{
        static const char *const commands[] = { [PROMPT_FORK] = "fork", [PROMPT_AGENT] = "agent", [PROMPT_PORT] = "open" };
        const char *command = board->prompt < ARRAY_SIZE(commands) ? commands[board->prompt] : NULL;

        if (!command || !*board->typed)
                return;
        run(out, command, board->subject);
        strv_add(&out->argv, board->typed);
        if (board->prompt == PROMPT_AGENT)
                set_string(&board->agent, xstrdup(board->typed));
}

/* Only a yes is a yes. */
static void answer(struct board *board, int key, struct board_action *out)
{
        if (key == 'y' || key == 'Y')
                run(out, board->prompt == PROMPT_DOWN ? "down" : "undo", board->subject);
        board->prompt = PROMPT_NONE;
}

static void change_typed(struct board *board, int key)
{
        size_t length = strlen(board->typed);

        if ((key == KEY_OF_BACKSPACE || key == CTRL('h')) && length > 0)
                board->typed[length - 1] = '\0';
        else if (key == CTRL('u'))
                board->typed[0] = '\0';
        else if (key > ' ' && key < KEY_OF_BACKSPACE && length < TYPED_MOST)
                set_string(&board->typed, xasprintf("%s%c", board->typed, key));
        if (board->prompt == PROMPT_FILTER)
                board_set_filter(board, board->typed);
}

static void type(struct board *board, int key, struct board_action *out)
{
        if (board->prompt == PROMPT_DOWN || board->prompt == PROMPT_UNDO) {
                answer(board, key, out);
        } else if (key == '\r' || key == '\n') {
                finish(board, out);
                board->prompt = PROMPT_NONE;
        } else if (key == KEY_OF_ESCAPE || key == CTRL('c')) {
                if (board->prompt == PROMPT_FILTER)
                        board_set_filter(board, NULL);
                board->prompt = PROMPT_NONE;
        } else if (board->prompt == PROMPT_FILTER && (key == KEY_OF_UP || key == KEY_OF_DOWN)) {
                board_move(board, key == KEY_OF_UP ? -1 : 1);
        } else {
                change_typed(board, key);
        }
}

static void press_in_help(struct board *board, int key)
{
        if (key == KEY_OF_DOWN || key == 'j')
                board->help_top++;
        else if (key == KEY_OF_PAGE_DOWN || key == ' ')
                board->help_top += (size_t)page(board);
        else if (key == KEY_OF_UP || key == 'k')
                board->help_top -= board->help_top > 0;
        else
                board->help = false;
}

void board_press(struct board *board, int key, struct board_action *out)
{
        const struct board_vm *vm = board_selected(board);

        board_action_clear(out);
        if (key == CTRL('z')) {
                out->act = ACT_SUSPEND;
                return;
        }
        if (board->help) {
                press_in_help(board, key);
                return;
        }
        set_string(&board->message, NULL);
        if (board->prompt != PROMPT_NONE) {
                type(board, key, out);
                return;
        }
        for (const struct board_binding *binding = board_bindings; binding->press; binding++)
                if (key == binding->key || (binding->other && key == binding->other)) {
                        if (vm || !binding->needs_vm)
                                binding->press(board, vm, out);
                        return;
                }
}
