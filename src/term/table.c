#include "term/table.h"

#include "lib/text.h"
#include "term/terminal.h"
#include "term/width.h"

#define GAP     "  "
#define NOTHING "-"
/* The last column is not made narrower than that. */
#define LAST_LEAST 20

struct table {
        size_t columns;
        struct strv cells; /* row by row, the headings first */
};

struct table *table_new(const char *const *headings)
{
        struct table *table = xcalloc(1, sizeof(*table));

        while (headings[table->columns])
                table->columns++;
        table_add(table, headings);
        return table;
}

void table_add(struct table *table, const char *const *cells)
{
        for (size_t i = 0; i < table->columns; i++)
                strv_take(&table->cells, text_visible_dup(cells[i] ? cells[i] : NOTHING));
}

static const char *cell_at(const struct table *table, size_t row, size_t column)
{
        return table->cells.items[row * table->columns + column];
}

/* Returns the width of all columns but the last, with their gaps. */
static size_t measure(const struct table *table, size_t *widths)
{
        size_t before = 0;

        for (size_t i = 0; i < table->cells.count; i++) {
                size_t width = width_of(table->cells.items[i]);

                if (width > widths[i % table->columns])
                        widths[i % table->columns] = width;
        }
        for (size_t column = 0; column + 1 < table->columns; column++)
                before += widths[column] + strlen(GAP);
        return before;
}

/* Rows as lines. The last column is wrapped to what it has room for. */
static void add_rows(const struct table *table, const size_t *widths, size_t before, size_t screen, struct strbuf *out)
{
        for (size_t row = 0; row * table->columns < table->cells.count; row++) {
                for (size_t column = 0; column + 1 < table->columns; column++) {
                        const char *cell = cell_at(table, row, column);

                        strbuf_addf(out, "%s%*s" GAP, cell, (int)(widths[column] - width_of(cell)), "");
                }
                width_wrap(out, cell_at(table, row, table->columns - 1), screen, before);
                strbuf_addc(out, '\n');
        }
}

/* Each row as a paragraph: its first cell, and below that a line for each other cell that says something. */
static void add_paragraphs(const struct table *table, size_t screen, struct strbuf *out)
{
        size_t label = 0;

        for (size_t column = 1; column < table->columns; column++)
                if (width_of(cell_at(table, 0, column)) > label)
                        label = width_of(cell_at(table, 0, column));
        for (size_t row = 1; row * table->columns < table->cells.count; row++) {
                strbuf_adds(out, row > 1 ? "\n" : "");
                width_wrap(out, cell_at(table, row, 0), screen, 0);
                strbuf_addc(out, '\n');
                for (size_t column = 1; column < table->columns; column++) {
                        const char *heading = cell_at(table, 0, column);

                        if (streq(cell_at(table, row, column), NOTHING))
                                continue;
                        strbuf_addf(out, GAP "%s%*s" GAP, heading, (int)(label - width_of(heading)), "");
                        width_wrap(out, cell_at(table, row, column), screen, label + 2 * strlen(GAP));
                        strbuf_addc(out, '\n');
                }
        }
}

void table_add_to(const struct table *table, size_t screen, struct strbuf *out)
{
        _cleanup_(freep) size_t *widths = xcalloc(table->columns + 1, sizeof(*widths));
        size_t before = measure(table, widths);
        size_t last = widths[table->columns - 1];

        if (before + (last < LAST_LEAST ? last : LAST_LEAST) <= screen)
                add_rows(table, widths, before, screen, out);
        else
                add_paragraphs(table, screen, out);
}

void table_print(const struct table *table, FILE *file)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        table_add_to(table, terminal_columns(fileno(file)), &out);
        fwrite(out.buf, 1, out.len, file);
}

void table_free(struct table *table)
{
        if (!table)
                return;
        strv_clear(&table->cells);
        free(table);
}

void table_freep(struct table **table)
{
        table_free(*table);
}
