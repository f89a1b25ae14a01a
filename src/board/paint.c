#include "board/paint.h"

#include "board/columns.h"
#include "board/press.h"
#include "lib/text.h"
#include "term/width.h"

#define GAP     2
#define MARKS   2 /* before the name: what is selected, what needs somebody */
#define LEAST_W 20
#define LEAST_H 5
/* Screens lower than that have fewer lines of the selected VM, or none. */
#define SOME_DETAILS_H 16
#define MANY_DETAILS_H 30
#define SOME_DETAILS   3
#define MANY_DETAILS   8

/* --- the title */

static size_t count_state(const struct board *board, bool (*is)(const struct board_vm *vm))
{
        size_t count = 0;

        for (size_t i = 0; i < board->seen.count; i++)
                count += is(&board->seen.vms[i]);
        return count;
}

static bool is_alive(const struct board_vm *vm)
{
        return vm->alive;
}

static bool is_parked(const struct board_vm *vm)
{
        return vm->parked;
}

static bool is_needy(const struct board_vm *vm)
{
        return vm->needs;
}

static bool is_vm(const struct board_vm *vm)
{
        return vm->exists;
}

static void add_counts(const struct board *board, struct strbuf *out)
{
        size_t vms = count_state(board, is_vm), parked = count_state(board, is_parked), without = board->seen.count - vms;

        strbuf_addf(out, "  %zu VM%s, %zu running", vms, vms == 1 ? "" : "s", count_state(board, is_alive));
        if (parked > 0)
                strbuf_addf(out, ", %zu parked", parked);
        if (without > 0)
                strbuf_addf(out, "; %zu project%s without a VM", without, without == 1 ? "" : "s");
}

static void paint_title(const struct board *board, struct canvas *canvas)
{
        size_t needy = count_state(board, is_needy);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (!board->sampled)
                strbuf_adds(&text, "  looking");
        else if (board->filter)
                strbuf_addf(&text, "  %zu of %zu with '%s'", board->count, board->seen.count, board->filter);
        else
                add_counts(board, &text);
        canvas_put(canvas, 0, STYLE_STRONG, "machine", SIZE_MAX);
        canvas_put(canvas, 0, board->filter ? STYLE_HALF : STYLE_NONE, text.buf, SIZE_MAX);
        if (needy > 0) {
                _cleanup_(freep) char *needs = xasprintf("  %zu need%s you (w)", needy, needy == 1 ? "s" : "");

                canvas_put(canvas, 0, STYLE_BAD | STYLE_STRONG, needs, SIZE_MAX);
        }
}

/* --- the table */

static unsigned style_of(const struct board_vm *vm)
{
        if (vm->needs)
                return STYLE_BAD;
        if (vm->alive)
                return STYLE_GOOD;
        return vm->parked ? STYLE_HALF : STYLE_FAINT;
}

static void paint_cell(struct canvas *canvas, size_t row, unsigned style, const char *text, size_t width, bool right)
{
        size_t begin = canvas->lines[row].columns;
        _cleanup_(freep) char *visible = text_visible_dup(text);
        size_t needed = width_of(visible);

        if (right && needed < width)
                canvas_fill(canvas, row, style, begin + width - needed);
        canvas_put(canvas, row, style, visible, width);
        canvas_fill(canvas, row, style, begin + width);
}

static void paint_headings(const struct board *board, struct canvas *canvas, size_t row, const size_t *widths)
{
        canvas_fill(canvas, row, STYLE_STRONG, MARKS);
        for (size_t i = 0; i < BOARD_COLUMNS; i++) {
                const struct board_column *column = &board_columns[i];
                bool ordered = column->order == board->order && column->order != ORDERS;
                _cleanup_(freep) char *heading = xasprintf("%s%s", column->heading, ordered ? "*" : "");

                if (widths[i] == 0)
                        continue;
                canvas_fill(canvas, row, STYLE_STRONG, canvas->lines[row].columns + (i > 0 ? GAP : 0));
                paint_cell(canvas, row, STYLE_STRONG, heading, widths[i], column->right);
        }
}

static void paint_row(struct canvas *canvas, size_t row, const struct board_vm *vm, bool selected, const size_t *widths)
{
        unsigned style = selected ? STYLE_REVERSED : STYLE_NONE;

        canvas_put(canvas, row, style, selected ? ">" : " ", 1);
        canvas_put(canvas, row, vm->needs ? style | STYLE_BAD | STYLE_STRONG : style, vm->needs ? "!" : " ", 1);
        for (size_t i = 0; i < BOARD_COLUMNS; i++) {
                const struct board_column *column = &board_columns[i];
                _cleanup_(freep) char *cell = widths[i] > 0 ? column->cell(vm) : NULL;

                if (widths[i] == 0)
                        continue;
                canvas_fill(canvas, row, style, canvas->lines[row].columns + (i > 0 ? GAP : 0));
                paint_cell(canvas, row, style | (column->order == ORDER_STATE ? style_of(vm) : STYLE_NONE), cell ? cell : "-",
                           widths[i], column->right);
        }
        if (selected)
                canvas_fill(canvas, row, style, canvas->width);
}

static void scroll(struct board *board, size_t page)
{
        board->page = page;
        if (board->selected < board->top)
                board->top = board->selected;
        if (page > 0 && board->selected >= board->top + page)
                board->top = board->selected - page + 1;
        if (board->top + page > board->count)
                board->top = board->count > page ? board->count - page : 0;
}

static void paint_table(struct board *board, struct canvas *canvas, size_t first, size_t height)
{
        size_t widths[BOARD_COLUMNS];

        columns_fit(board, canvas->width - MARKS, GAP, widths);
        paint_headings(board, canvas, first, widths);
        scroll(board, height - 1);
        for (size_t i = 0; i < board->page && board->top + i < board->count; i++)
                paint_row(canvas, first + 1 + i, board_row(board, board->top + i), board->top + i == board->selected, widths);
        if (board->sampled && board->count == 0)
                canvas_put(canvas, first + 1, STYLE_NONE,
                           board->filter ? "  nothing has that in it; Esc lists all again"
                                         : "  no projects and no VMs yet: machine init",
                           SIZE_MAX);
}

/* --- the selected VM */

static void paint_line(struct canvas *canvas, size_t *row, size_t end, unsigned style, const char *label, const char *text)
{
        _cleanup_(freep) char *padded = xasprintf("  %-9s ", label);

        if (!text || !*text || *row >= end)
                return;
        canvas_put(canvas, *row, STYLE_FAINT, padded, SIZE_MAX);
        canvas_put(canvas, (*row)++, style, text, SIZE_MAX);
}

static void paint_details(const struct board *board, struct canvas *canvas, size_t row, size_t count)
{
        const struct board_vm *vm = board_selected(board);
        size_t end = row + count;
        _cleanup_(freep) char *created = vm && vm->created ? text_local_time(vm->created) : NULL;
        _cleanup_(freep) char *refused =
                vm && vm->refused > 0 ? xasprintf("%jd different connections and names; e shows them", (intmax_t)vm->refused)
                                      : NULL;

        canvas_put(canvas, row, STYLE_FAINT, canvas->unicode ? "── " : "-- ", SIZE_MAX);
        canvas_put(canvas, row, STYLE_STRONG, vm ? vm->name : "", SIZE_MAX);
        canvas_put(canvas, row, STYLE_STRONG, vm ? ": " : "", SIZE_MAX);
        canvas_put(canvas, row, vm ? style_of(vm) : STYLE_NONE, vm ? vm->state : "", SIZE_MAX);
        canvas_put(canvas, row, STYLE_FAINT, " ", SIZE_MAX);
        while (canvas->lines[row].columns < canvas->width)
                canvas_put(canvas, row, STYLE_FAINT, canvas->unicode ? "─" : "-", 1);
        row++;
        if (!vm)
                return;
        paint_line(canvas, &row, end, STYLE_BAD, "why", vm->reason);
        paint_line(canvas, &row, end, STYLE_HALF, "way out", vm->hint);
        paint_line(canvas, &row, end, STYLE_NONE, "refused", refused);
        paint_line(canvas, &row, end, STYLE_NONE, "repos", vm->repos);
        paint_line(canvas, &row, end, STYLE_NONE, "ports", vm->ports);
        paint_line(canvas, &row, end, STYLE_NONE, "profiles", vm->profiles);
        paint_line(canvas, &row, end, STYLE_NONE, "ssh", vm->ssh);
        paint_line(canvas, &row, end, STYLE_NONE, "created", created);
        paint_line(canvas, &row, end, STYLE_NONE, "engine", vm->engine);
}

/* --- the last two lines */

static void paint_message(const struct board *board, struct canvas *canvas, size_t row)
{
        _cleanup_(freep) char *question = board_question(board);
        bool typed = board->prompt != PROMPT_NONE && board->prompt != PROMPT_DOWN && board->prompt != PROMPT_UNDO;

        if (question) {
                canvas_put(canvas, row, STYLE_STRONG, question, SIZE_MAX);
                canvas_put(canvas, row, STYLE_NONE, typed ? board->typed : "", SIZE_MAX);
                canvas_put(canvas, row, STYLE_REVERSED, " ", 1);
        } else if (board->message) {
                canvas_put(canvas, row, board->failed ? STYLE_BAD : STYLE_HALF, board->message, SIZE_MAX);
        }
}

/* The first keys of the table, as many as there is room for; help and quit always. */
static void paint_keys(struct canvas *canvas, size_t row)
{
        static const char always[] = "?:help  q:quit";
        size_t room = canvas->width > strlen(always) ? canvas->width - strlen(always) : 0;
        bool whole = true;

        for (const struct board_binding *binding = board_bindings; binding->press && whole; binding++) {
                _cleanup_(freep) char *text = binding->word ? xasprintf("%s:%s  ", binding->keys, binding->word) : NULL;

                if (!text || binding->key == '?' || binding->key == 'q')
                        continue;
                whole = canvas->lines[row].columns + width_of(text) <= room;
                if (whole)
                        canvas_put(canvas, row, STYLE_FAINT, text, SIZE_MAX);
        }
        canvas_put(canvas, row, STYLE_FAINT, always, SIZE_MAX);
}

/* --- help */

static void paint_help(struct board *board, struct canvas *canvas)
{
        size_t count = 0, seen = 0, room = canvas->height - 2;

        for (const struct board_binding *binding = board_bindings; binding->press; binding++)
                count += binding->keys != NULL;
        if (board->help_top + room > count)
                board->help_top = count > room ? count - room : 0;
        board->page = room;
        canvas_put(canvas, 0, STYLE_STRONG, "What the keys do with the VM that is selected", SIZE_MAX);
        for (const struct board_binding *binding = board_bindings; binding->press; binding++) {
                size_t row = binding->keys ? seen++ : SIZE_MAX;
                _cleanup_(freep) char *keys = binding->keys ? xasprintf("  %-9s  ", binding->keys) : NULL;

                if (!keys || row < board->help_top || row >= board->help_top + room)
                        continue;
                canvas_put(canvas, 1 + row - board->help_top, STYLE_STRONG, keys, SIZE_MAX);
                canvas_put(canvas, 1 + row - board->help_top, STYLE_NONE, binding->does, SIZE_MAX);
        }
        canvas_put(canvas, canvas->height - 1, STYLE_FAINT,
                   count > room ? "j, k: more   any other key: back to the board" : "any key: back to the board", SIZE_MAX);
}

void board_paint(struct board *board, struct canvas *canvas)
{
        size_t details = canvas->height >= MANY_DETAILS_H ? MANY_DETAILS : canvas->height >= SOME_DETAILS_H ? SOME_DETAILS : 0;
        size_t table = canvas->height - 3 - details;

        if (canvas->width < LEAST_W || canvas->height < LEAST_H) {
                canvas_put(canvas, 0, STYLE_NONE, "too small", SIZE_MAX);
                return;
        }
        if (board->help) {
                paint_help(board, canvas);
                return;
        }
        paint_title(board, canvas);
        paint_table(board, canvas, 1, table);
        if (details > 0)
                paint_details(board, canvas, 1 + table, details);
        paint_message(board, canvas, canvas->height - 2);
        paint_keys(canvas, canvas->height - 1);
}
