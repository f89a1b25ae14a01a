#include "term/tree.h"

#include "lib/deadline.h"
#include "lib/text.h"
#include "term/width.h"

#define CLEAR_LINE  "\033[K"
#define CLEAR_BELOW "\033[J"

static const char *const spinner_unicode[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };
static const char *const spinner_ascii[] = { "|", "/", "-", "\\" };

static const struct {
        enum style style;
        const char *unicode, *ascii;
} marks[] = {
        [EVENT_DONE] = { STYLE_GREEN, "✓", "+" },
        [EVENT_SKIPPED] = { STYLE_DIM, "–", "-" },
        [EVENT_FAILED] = { STYLE_RED, "✗", "x" },
        [EVENT_STOPPED] = { STYLE_YELLOW, "■", "=" },
};

/* A row being put together: what is in it, and the columns used and left. */
struct row {
        const struct terminal *terminal;
        struct strbuf text;
        size_t used, left;
};

static void row_add(struct row *row, enum style style, const char *text)
{
        _cleanup_(strbuf_clear) struct strbuf cut = STRBUF_INIT;
        size_t columns = width_add(&cut, text, row->left, row->terminal->unicode);

        terminal_style(row->terminal, &row->text, style, cut.buf);
        row->used += columns;
        row->left -= columns;
}

/* Leaves so many columns free after the text, if the row has them. */
static void row_add_leaving(struct row *row, const char *text, size_t kept)
{
        size_t reserved = kept < row->left ? kept : 0;

        row->left -= reserved;
        row_add(row, STYLE_PLAIN, text);
        row->left += reserved;
}

/* A cell of the bar that is full, and one that is not. */
static const char *cell(const struct tree *tree, bool full)
{
        if (tree->terminal.unicode)
                return full ? "━" : "─";
        return full ? "=" : ".";
}

#define BAR_WIDE   20
#define BAR_NARROW 8
/* A terminal that is narrower gets the narrow bar. */
#define BAR_COLUMNS 60

/* "━━━━────── 40%": how far a step is. */
static void add_bar(const struct tree *tree, const struct step *step, size_t columns, struct strbuf *out)
{
        size_t cells = columns < BAR_COLUMNS ? BAR_NARROW : BAR_WIDE;
        size_t full = (size_t)((double)step->done / (double)step->whole * (double)cells);

        for (size_t i = 0; i < cells; i++)
                strbuf_adds(out, cell(tree, i < full));
        strbuf_addf(out, " %3d%%", (int)((double)step->done / (double)step->whole * 100));
}

/*
 * What stands after the text of a step: how long it has taken, and of a running one how far it is, or how long it took the last
 * time. Owned by the caller.
 */
static char *measure(const struct tree *tree, const struct step *step, bool innermost, size_t columns)
{
        int64_t taken = (step->running ? now_ms() : step->ended) - step->started;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        if (step->running && step->expected_ms > 0) {
                _cleanup_(freep) char *clock = text_format_clock(taken);
                _cleanup_(freep) char *expected = text_format_clock(step->expected_ms);

                strbuf_addf(&out, taken <= step->expected_ms ? "%s of about %s" : "%s (last time %s)", clock, expected);
        } else {
                _cleanup_(freep) char *duration = text_format_duration(taken);

                strbuf_adds(&out, duration);
        }
        if (step->running && innermost && step->whole > 0) {
                strbuf_adds(&out, "  ");
                add_bar(tree, step, columns, &out);
        }
        return strbuf_take(&out);
}

static const char *spinner(const struct tree *tree)
{
        if (tree->terminal.unicode)
                return spinner_unicode[tree->frame % ARRAY_SIZE(spinner_unicode)];
        return spinner_ascii[tree->frame % ARRAY_SIZE(spinner_ascii)];
}

static void describe(const struct tree *tree, const struct step *step, bool innermost, struct row *row)
{
        _cleanup_(freep) char *indent = xasprintf("%*s", (int)(2 * step->depth), "");
        _cleanup_(freep) char *measured = measure(tree, step, innermost, row->left);
        /* A long text gives way to what moves. */
        size_t kept = step->running && (step->expected_ms > 0 || step->whole > 0) ? width_of(measured) + 2 : 0;

        row_add(row, STYLE_PLAIN, indent);
        if (step->running)
                row_add(row, STYLE_BOLD, spinner(tree));
        else
                row_add(row, marks[step->outcome].style,
                        tree->terminal.unicode ? marks[step->outcome].unicode : marks[step->outcome].ascii);
        row_add(row, STYLE_PLAIN, " ");
        row_add_leaving(row, step->text, kept);
        if (step->running || step->outcome != EVENT_SKIPPED) {
                row_add(row, STYLE_PLAIN, "  ");
                row_add(row, STYLE_DIM, measured);
        }
        if (step->reason) {
                row_add(row, STYLE_PLAIN, "  ");
                row_add(row, step->outcome == EVENT_FAILED ? STYLE_RED : STYLE_DIM, step->reason);
        }
        if (innermost && step->line_count > 0) {
                row_add(row, STYLE_PLAIN, "  ");
                row_add(row, STYLE_DIM, step->lines[(step->line_count - 1) % STEP_LINES]);
        }
}

/* Returns how many rows of the screen the tree takes. A terminal that was made narrower has wrapped its rows into more. */
static size_t rows_taken(const struct tree *tree, size_t columns)
{
        size_t rows = 0;

        for (size_t i = 0; i < tree->row_count; i++)
                rows += tree->widths[i] > columns ? (tree->widths[i] + columns - 1) / columns : 1;
        return rows;
}

static void go_up(size_t rows, struct strbuf *out)
{
        strbuf_addc(out, '\r');
        if (rows > 0)
                strbuf_addf(out, "\033[%zuA", rows);
}

/* Clears row by row. If the screen is cleared from its first row to its end, tmux keeps the text as if it had scrolled away. */
static void erase(struct tree *tree, size_t columns, struct strbuf *out)
{
        size_t rows = rows_taken(tree, columns);

        go_up(rows, out);
        for (size_t i = 0; i < rows; i++)
                strbuf_adds(out, CLEAR_LINE "\n");
        go_up(rows, out);
        tree->row_count = 0;
}

static void draw_rows(struct tree *tree, const struct steps *steps, size_t columns, size_t rows, struct strbuf *out)
{
        const struct step *innermost = steps_current(steps);
        size_t first = steps->count > rows ? steps->count - rows : 0;

        tree->row_count = 0;
        tree->widths = xreallocarray(tree->widths, steps->count + 1, sizeof(*tree->widths));
        for (size_t i = first; i < steps->count; i++) {
                struct row row = { .terminal = &tree->terminal, .text = STRBUF_INIT, .left = columns };

                describe(tree, &steps->items[i], &steps->items[i] == innermost, &row);
                strbuf_add(out, row.text.buf, row.text.len);
                strbuf_adds(out, CLEAR_LINE "\n");
                tree->widths[tree->row_count++] = row.used;
                strbuf_clear(&row.text);
        }
}

static void draw(struct tree *tree, const struct steps *steps, const char *above)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        size_t columns, rows;

        terminal_size(&tree->terminal, &columns, &rows);
        tree->columns = columns;
        if (above) {
                erase(tree, columns, &out);
                strbuf_adds(&out, above);
        }
        go_up(rows_taken(tree, columns), &out);
        /* The last column stays free: after a full row, some terminals are a line further down. */
        draw_rows(tree, steps, columns > 1 ? columns - 1 : 1, rows > 1 ? rows - 1 : 1, &out);
        strbuf_adds(&out, CLEAR_BELOW);
        terminal_write(&tree->terminal, &out);
}

/*
 * Returns true while the width is changing. A terminal doesn't rewrap its rows at the moment when it reports the new width, and
 * a draw in between would go up too far or not far enough. So a new width is used only when it has lasted from one draw to the
 * next.
 */
static bool width_changes(struct tree *tree)
{
        size_t before = tree->columns;
        size_t rows;

        terminal_size(&tree->terminal, &tree->columns, &rows);
        return tree->row_count > 0 && tree->columns != before;
}

void tree_draw(struct tree *tree, const struct steps *steps)
{
        tree->frame++;
        if (!width_changes(tree))
                draw(tree, steps, NULL);
}

void tree_print_above(struct tree *tree, const struct steps *steps, const char *lines)
{
        draw(tree, steps, lines);
}

static void add_kept_lines(const struct tree *tree, const struct step *step, struct strbuf *out)
{
        const char *line;

        for (size_t n = 0; (line = step_kept_line(step, n)); n++) {
                strbuf_addf(out, "%*s%s ", (int)(2 * step->depth + 2), "", tree->terminal.unicode ? "│" : "|");
                terminal_style(&tree->terminal, out, STYLE_DIM, line);
                strbuf_addc(out, '\n');
        }
}

void tree_finish(struct tree *tree, const struct steps *steps)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        size_t columns, rows;

        terminal_size(&tree->terminal, &columns, &rows);
        erase(tree, columns, &out);
        for (size_t i = 0; i < steps->count; i++) {
                struct row row = { .terminal = &tree->terminal, .text = STRBUF_INIT, .left = SIZE_MAX };

                describe(tree, &steps->items[i], false, &row);
                strbuf_addf(&out, "%s\n", row.text.buf);
                strbuf_clear(&row.text);
                add_kept_lines(tree, &steps->items[i], &out);
        }
        terminal_write(&tree->terminal, &out);
}

void tree_clear(struct tree *tree)
{
        free(tree->widths);
        tree->widths = NULL;
        tree->row_count = 0;
}
