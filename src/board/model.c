#include "board/model.h"

#include <strings.h>
#include <sys/types.h>

#include "lib/text.h"

static void vm_clear_texts(struct board_vm *vm)
{
        char *const texts[] = { vm->name,     vm->state, vm->reason, vm->hint, vm->engine,
                                vm->profiles, vm->repos, vm->ports,  vm->ssh,  vm->created };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                free(texts[i]);
}

void board_sample_clear(struct board_sample *sample)
{
        for (size_t i = 0; i < sample->count; i++)
                vm_clear_texts(&sample->vms[i]);
        free(sample->vms);
        free(sample->trouble);
        *sample = (struct board_sample)BOARD_SAMPLE_INIT;
}

void board_clear(struct board *board)
{
        board_sample_clear(&board->seen);
        free(board->rows);
        free(board->filter);
        free(board->subject);
        free(board->typed);
        free(board->agent);
        free(board->message);
        *board = (struct board)BOARD_INIT;
}

const struct board_vm *board_row(const struct board *board, size_t row)
{
        return row < board->count ? &board->seen.vms[board->rows[row]] : NULL;
}

const struct board_vm *board_selected(const struct board *board)
{
        return board_row(board, board->selected);
}

/* --- order */

/* Those that need somebody first, then by how much they take. */
static int rank(const struct board_vm *vm)
{
        if (vm->needs)
                return 0;
        if (vm->alive)
                return 1;
        return vm->parked ? 2 : vm->exists ? 3 : 4;
}

/* What is larger comes first. */
static int64_t weight(const struct board_vm *vm, enum board_order order)
{
        switch (order) {
        case ORDER_STATE:
                return -rank(vm);
        case ORDER_CPU:
                return vm->percent;
        case ORDER_MEMORY:
                return vm->memory_used;
        case ORDER_DISK:
                return vm->disk_used;
        case ORDER_REFUSED:
                return vm->refused;
        default:
                return 0;
        }
}

static bool comes_before(const struct board *board, size_t a, size_t b)
{
        const struct board_vm *first = &board->seen.vms[a], *second = &board->seen.vms[b];
        int64_t difference = weight(first, board->order) - weight(second, board->order);

        return difference != 0 ? difference > 0 : strcmp(first->name, second->name) < 0;
}

/* There are dozens of VMs at most. */
static void insert(struct board *board, size_t vm)
{
        size_t at = board->count++;

        for (; at > 0 && comes_before(board, vm, board->rows[at - 1]); at--)
                board->rows[at] = board->rows[at - 1];
        board->rows[at] = vm;
}

static bool matches(const struct board_vm *vm, const char *filter)
{
        const char *const texts[] = { vm->name, vm->state, vm->profiles, vm->repos };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (texts[i] && strcasestr(texts[i], filter))
                        return true;
        return false;
}

/* --- what is listed */

static void stay_in_list(struct board *board)
{
        if (board->selected >= board->count)
                board->selected = board->count > 0 ? board->count - 1 : 0;
}

/* The VM `name` (NULL = none) stays selected. */
static void list(struct board *board, const char *name)
{
        free(board->rows);
        board->rows = xcalloc(board->seen.count + 1, sizeof(*board->rows));
        board->count = 0;
        for (size_t i = 0; i < board->seen.count; i++)
                if (!board->filter || matches(&board->seen.vms[i], board->filter))
                        insert(board, i);
        for (size_t row = 0; name && row < board->count; row++)
                if (streq(board_row(board, row)->name, name))
                        board->selected = row;
        stay_in_list(board);
}

static void list_again(struct board *board)
{
        const struct board_vm *selected = board_selected(board);

        list(board, selected ? selected->name : NULL);
}

static bool is_there(const struct board_sample *sample, const char *name)
{
        for (size_t i = 0; i < sample->count; i++)
                if (streq(sample->vms[i].name, name))
                        return true;
        return false;
}

void board_update(struct board *board, struct board_sample *sample)
{
        const struct board_vm *selected = board_selected(board);
        _cleanup_(freep) char *name = selected ? xstrdup(selected->name) : NULL;

        if (sample->trouble) {
                /* What was seen before is not true any more, but better than nothing. */
                board_say(board, true, "%s", sample->trouble);
                board_sample_clear(sample);
                return;
        }
        if (name && !is_there(sample, name))
                board_say(board, false, "'%s' is gone", name);
        if (board->prompt != PROMPT_NONE && board->prompt != PROMPT_FILTER && !is_there(sample, board->subject))
                board->prompt = PROMPT_NONE;
        board_sample_clear(&board->seen);
        board->seen = *sample;
        *sample = (struct board_sample)BOARD_SAMPLE_INIT;
        board->sampled = true;
        list(board, name);
}

void board_set_filter(struct board *board, const char *filter)
{
        set_string(&board->filter, filter && *filter ? xstrdup(filter) : NULL);
        list_again(board);
}

void board_set_order(struct board *board, enum board_order order)
{
        board->order = order;
        list_again(board);
}

void board_move(struct board *board, ssize_t rows)
{
        size_t back = (size_t)-rows;

        if (rows < 0)
                board->selected -= back < board->selected ? back : board->selected;
        else
                board->selected += (size_t)rows;
        stay_in_list(board);
}

bool board_next_needy(struct board *board)
{
        for (size_t step = 1; step <= board->count; step++) {
                size_t row = (board->selected + step) % board->count;

                if (board_row(board, row)->needs) {
                        board->selected = row;
                        return true;
                }
        }
        return false;
}

void board_say(struct board *board, bool failed, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        set_string(&board->message, xvasprintf(format, args));
        va_end(args);
        board->failed = failed;
}
