#include "command/command.h"

#include "lib/strbuf.h"

const struct command *const commands[] = {
        &command_init,     &command_up,       &command_plan,      &command_ssh,
        &command_run,      &command_claude,   &command_codex,     &command_aider,
        &command_agent,    &command_mcp,      &command_code,      &command_cursor,
        &command_zed,      &command_list,     &command_board,     &command_status,
        &command_logs,     &command_cp,       &command_paste,     &command_open,
        &command_secrets,  &command_keys,     &command_egress,    &command_park,
        &command_wake,     &command_snapshot, &command_snapshots, &command_restore,
        &command_undo,     &command_forget,   &command_fork,      &command_race,
        &command_restart,  &command_down,     &command_rename,    &command_rebuild,
        &command_destroy,  &command_bake,     &command_layers,    &command_du,
        &command_prune,    &command_profile,  &command_lock,      &command_trust,
        &command_validate, &command_doctor,   &command_audit,     &command_version,
        &command_help_,    &command_proxy,    &command_mcp_tool,  NULL,
};

/*
 * What other tools call these commands. A word is an alias when nobody can lose anything by what it does here; `up`, for
 * instance, also makes a VM that isn't there. A word that removes things is only answered by a hint.
 */
static const struct {
        const char *word;
        const struct command *command; /* it is an alias of this one; NULL = of none */
        const char *hint;
} words[] = {
        { "ls", &command_list, NULL },
        { "ps", &command_list, NULL },
        { "start", &command_up, NULL },
        { "stop", &command_down, NULL },
        { "suspend", &command_park, NULL },
        { "pause", &command_park, NULL },
        { "resume", &command_wake, NULL },
        { "shell", &command_ssh, NULL },
        { "exec", &command_run, NULL },
        { "vscode", &command_code, NULL },
        { "rm", NULL, "machine destroy NAME removes a VM and everything in it; it asks first" },
        { "remove", NULL, "machine destroy NAME removes a VM and everything in it; it asks first" },
        { "delete", NULL, "machine destroy NAME removes a VM and everything in it; it asks first" },
        { "create", NULL, "machine up NAME makes the VM of a project" },
        { "launch", NULL, "machine up NAME makes the VM of a project" },
        { "halt", NULL, "machine down NAME stops a VM" },
        { "df", NULL, "machine du shows what takes room" },
        { "info", NULL, "machine status NAME shows a VM" },
        { "inspect", NULL, "machine status NAME shows a VM" },
        { "images", NULL, "machine layers shows what VMs are made from" },
        { "mv", NULL, "machine rename NAME NEW-NAME gives a stopped VM another name" },
        { "copy", NULL, "machine cp FROM TO copies files into a VM or out of it" },
};

const struct command *command_find(const char *name)
{
        for (const struct command *const *command = commands; *command; command++)
                if (streq((*command)->name, name))
                        return *command;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i].word, name))
                        return words[i].command;
        return NULL;
}

const char *command_word_hint(const char *word)
{
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i].word, word))
                        return words[i].hint;
        return NULL;
}

void command_aliases(const struct command *command, struct strv *out)
{
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (words[i].command == command)
                        strv_add(out, words[i].word);
}

static void add_aliases(const struct command *command, struct strbuf *out)
{
        _cleanup_(strv_clear) struct strv aliases = STRV_INIT;

        command_aliases(command, &aliases);
        for (size_t i = 0; i < aliases.count; i++)
                strbuf_addf(out, "%s 'machine %s'", i == 0 ? "The same as" : " and", aliases.items[i]);
        if (aliases.count > 0)
                strbuf_adds(out, ".\n");
}

void command_help(const struct command *command, struct strbuf *out)
{
        const char *const *examples = command_examples(command);

        strbuf_addf(out, "usage: machine %s [OPTION…]%s%s\n\n", command->name, *command->operands ? " " : "",
                    command->operands);
        strbuf_addf(out, "%s\n", command->text ? command->text : command->summary);
        add_aliases(command, out);
        strbuf_adds(out, "\noptions:\n");
        option_help(command->options, out);
        strbuf_adds(out, *examples ? "\nexamples:\n" : "");
        for (size_t i = 0; i < COMMAND_EXAMPLES && examples[i]; i++)
                strbuf_addf(out, "  %s\n", examples[i]);
}

void command_overview(struct strbuf *out)
{
        strbuf_adds(out, "usage: machine COMMAND [OPTION…] [OPERAND…]\n\n"
                         "Gives every project its own virtual machine.\n\ncommands:\n");
        for (const struct command *const *command = commands; *command; command++)
                if (!(*command)->internal)
                        strbuf_addf(out, "  %-10s %s\n", (*command)->name, (*command)->summary);
        strbuf_adds(
                out,
                "\n'machine' alone says what to do next. 'machine COMMAND --help' says more about each; machine(1) is the manual.\n");
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
