#include <unistd.h>

#include "command/command.h"
#include "guest/folder.h"
#include "guest/session.h"
#include "operation/running.h"
#include "vm/vm.h"

struct ssh_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct ssh_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const char *const *tail = invocation_tail(invocation);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *script = NULL;
        _cleanup_(freep) char *remote = NULL;
        struct session session = { .vm = &vm };

        if (running_open(&context->front, invocation_name(invocation), &vm, err) < 0)
                return -1;
        script = folder_script(&vm, tail);
        remote = tail ? folder_keep_status(script) : TAKE_PTR(script);
        session.forward_agent = vm.record.forward_agent;
        session.terminal = isatty(STDIN_FILENO) ? SESSION_TERMINAL : SESSION_NO_TERMINAL;
        output_settle(context->output);
        return session_exec(&session, remote, err);
}

const struct command command_ssh = {
        .name = "ssh",
        .operands = "[NAME] [-- COMMAND…]",
        .summary = "open a shell in the project's folder",
        .text = "Starts the VM if it is stopped. Passes the remote exit status through.",
        .options = options,
        .options_size = sizeof(struct ssh_options),
        .operands_most = SIZE_MAX,
        .stop_at_operand = true,
        .run = run,
};
