#include "board/columns.h"

#include <inttypes.h>

#include "lib/text.h"
#include "term/width.h"

#define GIB 1073741824.0
#define MIB 1048576.0

static char *cell_name(const struct board_vm *vm)
{
        return xstrdup(vm->name);
}

static char *cell_state(const struct board_vm *vm)
{
        return xstrdup(vm->state);
}

static char *cell_cpu(const struct board_vm *vm)
{
        return vm->percent < 0 ? NULL : xasprintf("%" PRId64 "%%", vm->percent);
}

/* "0.5/2.0 GiB": both in the unit of the second. */
static char *share(int64_t used, int64_t whole)
{
        double unit = whole < GIB ? MIB : GIB;
        _cleanup_(freep) char *left = used > 0 ? xasprintf("%.*f", unit == GIB ? 1 : 0, (double)used / unit) : xstrdup("-");

        if (whole <= 0)
                return NULL;
        return xasprintf("%s/%.*f %s", left, unit == GIB ? 1 : 0, (double)whole / unit, unit == GIB ? "GiB" : "MiB");
}

static char *cell_memory(const struct board_vm *vm)
{
        return vm->exists ? share(vm->memory_used, vm->memory) : NULL;
}

static char *cell_disk(const struct board_vm *vm)
{
        return vm->exists ? share(vm->disk_used, vm->disk) : NULL;
}

static char *cell_refused(const struct board_vm *vm)
{
        return vm->refused > 0 ? xasprintf("%" PRId64, vm->refused) : NULL;
}

static char *cell_ports(const struct board_vm *vm)
{
        return xstrdup(vm->ports);
}

static char *cell_engine(const struct board_vm *vm)
{
        return xstrdup(vm->engine);
}

static char *cell_profiles(const struct board_vm *vm)
{
        return xstrdup(vm->profiles);
}

static char *cell_repos(const struct board_vm *vm)
{
        return xstrdup(vm->repos);
}

const struct board_column board_columns[BOARD_COLUMNS] = {
        { "NAME", 40, false, false, ORDER_NAME, cell_name }, { "STATE", 12, false, false, ORDER_STATE, cell_state },
        { "CPU", 6, true, false, ORDER_CPU, cell_cpu },      { "MEMORY", 14, true, false, ORDER_MEMORY, cell_memory },
        { "DISK", 14, true, false, ORDER_DISK, cell_disk },  { "REFUSED", 7, true, false, ORDER_REFUSED, cell_refused },
        { "PORTS", 24, false, false, ORDERS, cell_ports },   { "PROFILES", 24, false, false, ORDERS, cell_profiles },
        { "ENGINE", 8, false, true, ORDERS, cell_engine },   { "REPOS", 80, false, false, ORDERS, cell_repos },
};

/* NAME is never left out, and gives way before another column is. */
#define NAME_LEAST 16
/* Less of the last column says nothing. */
#define LAST_LEAST 24

/* As wide as its widest cell; 0 when it would be empty. All VMs count, so that the columns stay when one scrolls or filters. */
static size_t measure(const struct board *board, const struct board_column *column)
{
        size_t heading = strlen(column->heading) + (column->order != ORDERS); /* with the mark of the order */
        _cleanup_(freep) char *first = NULL;
        bool differ = !column->differing;
        size_t widest = 0;

        for (size_t i = 0; i < board->seen.count; i++) {
                _cleanup_(freep) char *cell = column->cell(&board->seen.vms[i]);
                _cleanup_(freep) char *visible = cell ? text_visible_dup(cell) : NULL;
                size_t width = visible ? width_of(visible) : 0;

                if (width > widest)
                        widest = width;
                if (visible && first && !streq(first, visible))
                        differ = true;
                if (!first)
                        first = TAKE_PTR(visible);
        }
        if (widest == 0 || !differ)
                return 0;
        widest = widest < heading ? heading : widest;
        return widest < column->most ? widest : column->most;
}

void columns_fit(const struct board *board, size_t room, size_t gap, size_t widths[BOARD_COLUMNS])
{
        size_t whole = measure(board, &board_columns[0]);
        size_t taken;

        widths[0] = whole < NAME_LEAST ? whole : NAME_LEAST;
        widths[0] = widths[0] < room ? widths[0] : room;
        taken = widths[0];
        for (size_t i = 1; i < BOARD_COLUMNS; i++) {
                size_t left = room > taken + gap ? room - taken - gap : 0;
                size_t width = measure(board, &board_columns[i]);
                bool last = i + 1 == BOARD_COLUMNS;

                /* The last one is text: a part of it says something, too. */
                if (last && width > left && left >= LAST_LEAST)
                        width = left;
                widths[i] = width <= left ? width : 0;
                taken += widths[i] > 0 ? widths[i] + gap : 0;
        }
        widths[0] = whole < widths[0] + room - taken ? whole : widths[0] + room - taken;
}
