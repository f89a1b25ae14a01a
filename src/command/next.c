/*
 * `machine` alone: on a terminal the board, once there is something to show; else where one is, and what to do next from there.
 * It is not in the table, because it has no name.
 */
#include "operation/next.h"

#include <unistd.h>

#include "board/board.h"
#include "command/command.h"
#include "command/result.h"
#include "lib/text.h"
#include "operation/inventory.h"
#include "term/terminal.h"

struct next_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct next_options),
        { 0 },
};

static json_t *next_json(const struct next *next)
{
        json_t *steps = json_array();

        for (size_t i = 0; i < next->commands.count; i++)
                json_array_append_new(steps, json_pack("{s:s, s:s}", "command", next->commands.items[i], "does",
                                                       next->reasons.items[i]));
        return json_pack("{s:s, s:o}", "where", next->where, "next", steps);
}

static void print_text(const struct next *next)
{
        _cleanup_(freep) char *where = text_visible_dup(next->where);
        size_t width = 0;

        for (size_t i = 0; i < next->commands.count; i++)
                if (strlen(next->commands.items[i]) > width)
                        width = strlen(next->commands.items[i]);
        printf("%s\n\nnext:\n", where);
        for (size_t i = 0; i < next->commands.count; i++)
                printf("  %-*s  %s\n", (int)width, next->commands.items[i], next->reasons.items[i]);
        puts("\nAll commands: machine help");
}

static bool wants_board(const struct context *context)
{
        return context->mode == OUTPUT_AUTO && isatty(STDIN_FILENO) && terminal_of(STDOUT_FILENO).live && !inventory_is_empty();
}

static int show_board(struct context *context, const struct next *next, struct error **err)
{
        output_settle(context->output);
        return board_run(next->here ? next->where : NULL, err);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(next_clear) struct next next = NEXT_INIT;

        if (next_find(&context->front, &next, err) < 0)
                return -1;
        if (wants_board(context))
                return show_board(context, &next, err);
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(next_json(&next));
        else
                print_text(&next);
        return 0;
}

const struct command command_next = {
        .name = "",
        .operands = "",
        .summary = "show what to do next",
        .options = options,
        .options_size = sizeof(struct next_options),
        .operands_most = 0,
        .run = run,
};
