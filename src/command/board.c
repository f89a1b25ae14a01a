#include "board/board.h"
#include "command/command.h"

struct board_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct board_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        if (context->mode == OUTPUT_JSON) {
                error_set(err, ERROR_USAGE, "the board is a screen, which has no form in JSON");
                return error_hint(err, "machine list --watch --json");
        }
        output_settle(context->output);
        return board_run(NULL, err);
}

const struct command command_board = {
        .name = "board",
        .operands = "",
        .summary = "show all VMs on a screen, with keys for what is done to them",
        .text = "Shows all projects and VMs with their state, load, memory, disk, ports and what they were refused, and looks again every\n"
                "two seconds, from this computer: no guest is asked, and a parked VM stays parked. Keys open a shell or an agent, start,\n"
                "park, wake, stop and fork the selected VM, undo, and show its logs; '?' lists them, 'q' ends it. 'machine' alone on a\n"
                "terminal does the same once there is a project or a VM.",
        .options = options,
        .options_size = sizeof(struct board_options),
        .operands_most = 0,
        .run = run,
};
