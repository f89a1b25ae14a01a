#include "seen.h"

struct board_vm *seen_add(struct board_sample *sample, const char *name, const char *state)
{
        struct board_vm *vm;

        sample->vms = xreallocarray(sample->vms, sample->count + 1, sizeof(*sample->vms));
        vm = &sample->vms[sample->count++];
        *vm = (struct board_vm){ .name = xstrdup(name),
                                 .state = xstrdup(state),
                                 .exists = true,
                                 .alive = streq(state, "running") || streq(state, "paused"),
                                 .parked = streq(state, "parked"),
                                 .needs = streq(state, "paused"),
                                 .percent = -1,
                                 .memory = 2LL << 30,
                                 .disk = 30LL << 30,
                                 .engine = xstrdup("one") };
        return vm;
}

void seen_board(struct board *board, const char *names)
{
        struct board_sample sample = BOARD_SAMPLE_INIT;

        while (*names) {
                size_t length = strcspn(names, " ");
                _cleanup_(freep) char *name = xstrndup(names, length);

                seen_add(&sample, name, "running");
                names += length + (names[length] != '\0');
        }
        board_update(board, &sample);
}

char *seen_rows(const struct board *board)
{
        _cleanup_(strv_clear) struct strv rows = STRV_INIT;

        for (size_t row = 0; row < board->count; row++)
                strv_addf(&rows, "%s%s", row == board->selected ? "*" : "", board_row(board, row)->name);
        return strv_join(&rows, " ");
}
