/* `machine undo`: makes a VM what it was before the last agent's run, and says what that can't take back. */
#include "command/command.h"
#include "command/result.h"
#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "lib/text.h"
#include "operation/checkpoint.h"
#include "operation/target.h"

#define SHOWN_MOST 20

struct undo_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct undo_options),
        { 0 },
};

static void say_line(struct context *context, const struct account_line *line)
{
        _cleanup_(freep) char *shown = text_visible_dup(line->name ? line->name : line->address ? line->address : "?");
        _cleanup_(freep) char *sent = text_format_size(line->sent);

        event_warning(context->front.events, "not undone: %s was sent to %s, port %jd (%s)", sent, shown, (intmax_t)line->port,
                      line->protocol);
}

/* What was sent to others stays sent. */
static void say_what_left(struct context *context, const struct account *account, int64_t since)
{
        size_t count = 0;

        for (size_t i = 0; i < account->count; i++)
                if (checkpoint_left_since(&account->lines[i], since) && ++count <= SHOWN_MOST)
                        say_line(context, &account->lines[i]);
        if (count > SHOWN_MOST)
                event_warning(context->front.events, "not undone: what was sent to %zu more", count - SHOWN_MOST);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(snapshots_clear) struct snapshots snapshots = SNAPSHOTS_INIT;
        _cleanup_(account_clear) struct account account = ACCOUNT_INIT;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        const struct engine_layer *to;
        int64_t started = now_ms();

        if (target_open_locked(&context->front, invocation_name(invocation), &target, &vm, err) < 0 ||
            snapshots_find(&vm, &snapshots, err) < 0)
                return -1;
        to = checkpoint_newest(&vm, &snapshots, err);
        if (!to)
                return -1;
        interrupt_next("machine up %s", vm.name);
        /* It begins anew with the restore. */
        if (vm.engine->account && vm.engine->account(&vm, &account, err) < 0)
                return -1;
        if (snapshot_restore(&context->front, &vm, to, err) < 0)
                return -1;
        say_what_left(context, &account, text_parse_time(to->created));
        result_print(context, &(struct result){ .name = vm.name, .state = "running", .how = "restored", .started = started },
                     "VM '%s' is what it was '%s'; what was undone is a snapshot: machine restore %s '" SNAPSHOT_BEFORE_RESTORE
                     "'",
                     vm.name, to->label, vm.name);
        return 0;
}

const struct command command_undo = {
        .name = "undo",
        .operands = "[NAME]",
        .summary = "make a VM what it was before the last agent's run",
        .text = "A snapshot is taken before each agent's session; the last five are kept. This goes back to the newest: files, programs\n"
                "and memory. What it takes away is kept as a snapshot. What was sent to other computers since then can't be taken\n"
                "back, and is named.",
        .options = options,
        .options_size = sizeof(struct undo_options),
        .operands_most = 1,
        .orderly = true,
        .run = run,
};
