#include "term/table.h"

#include "lib/text.h"
#include "term/width.h"

#define GAP "  "

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
                strv_take(&table->cells, text_visible_dup(cells[i] ? cells[i] : "-"));
}

void table_print(const struct table *table, FILE *file)
{
        _cleanup_(freep) size_t *widths = xcalloc(table->columns + 1, sizeof(*widths));

        for (size_t i = 0; i < table->cells.count; i++) {
                size_t width = width_of(table->cells.items[i]);

                if (width > widths[i % table->columns])
                        widths[i % table->columns] = width;
        }
        for (size_t i = 0; i < table->cells.count; i++) {
                size_t column = i % table->columns;
                bool last = column + 1 == table->columns;
                size_t padding = last ? 0 : widths[column] - width_of(table->cells.items[i]);

                fprintf(file, "%s%*s%s", table->cells.items[i], (int)padding, "", last ? "\n" : GAP);
        }
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
