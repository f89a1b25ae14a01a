#include "command/command.h"

#include "lib/strbuf.h"

const struct command *const commands[] = {
        &command_init,  &command_up,      &command_plan, &command_ssh,     &command_run,      &command_claude, &command_codex,
        &command_aider, &command_agent,   &command_list, &command_status,  &command_cp,       &command_open,   &command_secrets,
        &command_keys,  &command_egress,  &command_down, &command_rebuild, &command_destroy,  &command_bake,   &command_layers,
        &command_prune, &command_profile, &command_lock, &command_trust,   &command_validate, &command_doctor, &command_audit,
        &command_help_, &command_proxy,   NULL,
};

const struct command *command_find(const char *name)
{
        for (const struct command *const *command = commands; *command; command++)
                if (streq((*command)->name, name))
                        return *command;
        return NULL;
}

void command_help(const struct command *command, struct strbuf *out)
{
        strbuf_addf(out, "usage: machine %s [OPTION…]%s%s\n\n", command->name, *command->operands ? " " : "",
                    command->operands);
        strbuf_addf(out, "%s\n", command->text ? command->text : command->summary);
        strbuf_adds(out, "\noptions:\n");
        option_help(command->options, out);
}

void command_overview(struct strbuf *out)
{
        strbuf_adds(out, "usage: machine COMMAND [OPTION…] [OPERAND…]\n\n"
                         "Gives every project its own virtual machine.\n\ncommands:\n");
        for (const struct command *const *command = commands; *command; command++)
                if (!(*command)->internal)
                        strbuf_addf(out, "  %-10s %s\n", (*command)->name, (*command)->summary);
        strbuf_adds(out, "\n'machine COMMAND --help' says more about each; machine(1) is the manual.\n");
}

const char *invocation_name(const struct invocation *invocation)
{
        size_t names = invocation->dashes >= 0 ? (size_t)invocation->dashes : invocation->operands.count;

        return names > 0 ? invocation->operands.items[0] : NULL;
}

const char *const *invocation_tail(const struct invocation *invocation)
{
        size_t start = invocation->dashes >= 0 ? (size_t)invocation->dashes : 1;

        /* Options end at the name, so a "--" after it is still among the operands. */
        if (invocation->dashes < 0 && invocation->operands.count > 1 && streq(invocation->operands.items[1], "--"))
                start = 2;
        if (start >= invocation->operands.count)
                return NULL;
        return strv_argv(&invocation->operands) + start;
}
