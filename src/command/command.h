/*
 * The commands, one file each, and the table that lists them (table.c). Everything is made from that table: main() finds a
 * command in it, parses by the command's option table, and prints the help and `machine help --json` (for completions and
 * checks) from it.
 *
 * A command returns 0, -1 with an error, or the exit status of what it ran in the guest (1..255).
 */
#pragma once

#include "lib/error.h"
#include "lib/option.h"
#include "operation/front.h"
#include "term/output.h"

/* What main() prepares for every command. */
struct context {
        struct front front; /* must be first: trust_prompt() casts it back to its context */
        enum output_mode mode;
        bool quiet;
        struct output *output;
};

/* The options every command has; the first member of each command's own struct. */
struct common_options {
        bool help, json, plain, quiet, verbose;
};

#define COMMON_OPTIONS(structure)                                                                                              \
        OPTION(structure, common.json, "json", 0, OPTION_FLAG, NULL, "print results and events as JSON"),                      \
                OPTION(structure, common.plain, "plain", 0, OPTION_FLAG, NULL, "print progress as plain lines"),               \
                OPTION(structure, common.verbose, "verbose", 'v', OPTION_FLAG, NULL,                                           \
                       "print progress as plain lines, and all that each step says"),                                          \
                OPTION(structure, common.quiet, "quiet", 'q', OPTION_FLAG, NULL, "print warnings and results only"),           \
                OPTION(structure, common.help, "help", 'h', OPTION_FLAG, NULL, "print this help")

struct invocation {
        const void *options; /* the command's own struct */
        struct strv operands;
        ssize_t dashes; /* operands before "--"; -1 = there was none */
};

struct command {
        const char *name;
        const char *operands; /* "[NAME] [-- COMMAND…]" */
        const char *summary;  /* one line, lower case, no full stop */
        const char *text;     /* paragraphs for --help; NULL = none */
        const struct option *options;
        size_t options_size;  /* of its struct */
        size_t operands_most; /* more is a usage error; SIZE_MAX = any number, such as a command line after "--" */
        bool stop_at_operand; /* that command line begins after the first operand, with or without "--" */
        bool internal;        /* run by other programs; left out of the list in `machine help` */
        bool orderly;         /* Ctrl-C ends it in order, with what it has started (lib/interrupt.h) */
        int (*run)(struct context *context, const struct invocation *invocation, struct error **err);
};

extern const struct command *const commands[]; /* NULL-ended, in the order of the help */
/* Finds a command by its name, or by an alias of it. */
const struct command *command_find(const char *name);
/* What to type in place of a word that is a command of other tools, and none of ours; NULL = the word isn't known. */
const char *command_word_hint(const char *word);
/* Appends the command's aliases. */
void command_aliases(const struct command *command, struct strv *out);

#define COMMAND_EXAMPLES 2
/* The command lines with which its help ends: COMMAND_EXAMPLES of them. */
const char *const *command_examples(const struct command *command);

/* Appends "usage: machine NAME …", text, options and examples. */
void command_help(const struct command *command, struct strbuf *out);
/* Appends the list of all commands. */
void command_overview(struct strbuf *out);

extern const struct command command_agent, command_aider, command_audit, command_bake, command_board, command_claude,
        command_code, command_codex, command_cp, command_cursor, command_destroy, command_doctor, command_down, command_du,
        command_egress, command_forget, command_fork, command_help_, command_init, command_keys, command_layers, command_list,
        command_lock, command_logs, command_mcp, command_mcp_tool, command_next, command_open, command_park, command_paste,
        command_plan, command_profile, command_proxy, command_prune, command_race, command_rebuild, command_rename,
        command_restart, command_restore, command_run, command_secrets, command_snapshot, command_snapshots, command_ssh,
        command_status, command_trust, command_undo, command_up, command_validate, command_version, command_wake, command_zed;

/* The first operand, unless it stands after "--"; NULL when there is none. */
const char *invocation_name(const struct invocation *invocation);
/* The operands after "--", or after the name when there is no "--"; NULL when there are none. Borrowed. */
const char *const *invocation_tail(const struct invocation *invocation);
