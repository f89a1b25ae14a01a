/*
 * `machine mcp`: starts the server. `machine mcp-tool`: one call of a tool, which the server starts.
 *
 * Which VMs may be used is said here, by names, and nowhere else. There is no word for all of them: a VM that is made tomorrow
 * is not to be open to an agent that was set up today.
 */
#include <unistd.h>

#include "command/command.h"
#include "config/checkout.h"
#include "config/project.h"
#include "lib/interrupt.h"
#include "mcp/server.h"
#include "mcp/worker.h"
#include "operation/target.h"

struct mcp_options {
        struct common_options common;
        struct strv allow;
};

static const struct option options[] = {
        OPTION(struct mcp_options, allow, "allow", 'a', OPTION_TEXTS, "NAME",
               "a VM that may be used; again for each further one"),
        COMMON_OPTIONS(struct mcp_options),
        { 0 },
};

/* The project of the checkout around this folder, which has to be trusted. The VM "default" is never meant without its name. */
static int allow_checkout(struct context *context, struct strv *vms, struct error **err)
{
        _cleanup_(freep) char *folder = getcwd(NULL, 0);
        _cleanup_(freep) char *checkout = folder ? checkout_find(folder) : NULL;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        struct front front = { .events = context->front.events };

        if (!checkout) {
                error_set(err, ERROR_USAGE, "no VM is named, and '%s' is in no checkout that has a " CHECKOUT_FILE,
                          folder ? folder : "this folder");
                return error_hint(err, "machine mcp --allow NAME");
        }
        if (target_wanted(&front, NULL, &target, err) < 0)
                return -1;
        strv_add(vms, target.name);
        return 0;
}

static int choose_vms(struct context *context, const struct mcp_options *given, struct strv *vms, struct error **err)
{
        if (given->allow.count == 0)
                return allow_checkout(context, vms, err);
        for (size_t i = 0; i < given->allow.count; i++) {
                if (project_check_name(given->allow.items[i], "project", err) < 0)
                        return -1;
                if (!strv_contains(vms, given->allow.items[i]))
                        strv_add(vms, given->allow.items[i]);
        }
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(strv_clear) struct strv vms = STRV_INIT;

        if (choose_vms(context, invocation->options, &vms, err) < 0 || interrupt_catch(NULL, NULL, err) < 0)
                return -1;
        output_settle(context->output);
        return server_run(&(struct server_options){ .vms = &vms, .version = MACHINE_VERSION }, err);
}

const struct command command_mcp = {
        .name = "mcp",
        .operands = "",
        .summary = "let an agent on this computer use named VMs, by the Model Context Protocol",
        .text = "Serves tools on standard input and output: list, status, up, run, read_file, write_file, diff, logs, egress.\n"
                "Agents and editors start this themselves. Only VMs named with --allow can be used; without it, that of the\n"
                "checkout around the current folder.",
        .options = options,
        .options_size = sizeof(struct mcp_options),
        .operands_most = 0,
        .run = run,
};

/* --- one call */

struct tool_options {
        struct common_options common;
};

static const struct option tool_options[] = {
        COMMON_OPTIONS(struct tool_options),
        { 0 },
};

static int run_tool(struct context *context, const struct invocation *invocation, struct error **err)
{
        const char *tool = invocation_name(invocation);

        if (!tool)
                return error_set(err, ERROR_USAGE, "'machine mcp-tool' needs a tool's name");
        return worker_run(tool, err);
}

const struct command command_mcp_tool = {
        .name = "mcp-tool",
        .operands = "TOOL",
        .summary = "run a tool of 'machine mcp' once",
        .text = "The server runs this for each call; you don't need to.",
        .options = tool_options,
        .options_size = sizeof(struct tool_options),
        .operands_most = 1,
        .internal = true,
        .run = run_tool,
};
