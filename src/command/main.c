/*
 * Parses the command line, finds the command in the table and turns its error into an exit status. Nothing else ends the
 * program.
 */
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include "command/command.h"
#include "command/engines.h"
#include "command/offer-prompt.h"
#include "command/reorder.h"
#include "command/trust-prompt.h"
#include "config/project.h"
#include "host/paths.h"
#include "lib/interrupt.h"
#include "lib/text.h"
#include "vm/vm.h"

static int write_out(const struct strbuf *text, struct error **err)
{
        if (fwrite(text->buf, 1, text->len, stdout) != text->len || fflush(stdout) != 0)
                return error_errno(err, ERROR_FAILED, "cannot write to standard output");
        return 0;
}

static int print_help(const struct command *command, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (command)
                command_help(command, &text);
        else
                command_overview(&text);
        return write_out(&text, err);
}

static const struct command *find_command(const char *name, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        const struct command *command = command_find(name);
        const char *near;

        if (command)
                return command;
        for (const struct command *const *each = commands; *each; each++)
                if (!(*each)->internal)
                        strv_add(&names, (*each)->name);
        near = text_suggest(name, strv_argv(&names));
        error_set(err, ERROR_USAGE, "no command '%s'", name);
        if (command_word_hint(name))
                error_hint(err, "%s", command_word_hint(name));
        else if (near)
                error_hint(err, "did you mean 'machine %s'?", near);
        else
                error_hint(err, "machine help");
        return NULL;
}

static int check_operands(const struct command *command, const struct invocation *invocation, struct error **err)
{
        size_t names = invocation->operands.count;

        if (names <= command->operands_most)
                return 0;
        error_set(err, ERROR_USAGE, "'machine %s' takes at most %zu operand%s, not %zu", command->name, command->operands_most,
                  command->operands_most == 1 ? "" : "s", names);
        return error_hint(err, "machine %s --help", command->name);
}

/* Finds --json anywhere before a "--", so that a usage error is printed as JSON, too. */
static enum output_mode guess_mode(const char *const *argv)
{
        for (; *argv && !streq(*argv, "--"); argv++)
                if (streq(*argv, "--json"))
                        return OUTPUT_JSON;
        return OUTPUT_AUTO;
}

static enum output_mode mode_of(const struct common_options *options)
{
        if (options->json)
                return OUTPUT_JSON;
        if (options->verbose)
                return OUTPUT_VERBOSE;
        return options->plain ? OUTPUT_PLAIN : OUTPUT_AUTO;
}

/* Called in a thread of its own. */
static void say_stopping(void *output)
{
        output_say(output, "Stopping. Ctrl-C again ends it at once.");
}

/* Runs a command that Ctrl-C ends in order: whatever went wrong after it, the command was stopped. */
static int run_orderly(const struct command *command, struct context *context, const struct invocation *invocation,
                       struct error **err)
{
        int status;

        if (interrupt_catch(say_stopping, context->output, err) < 0)
                return -1;
        status = command->run(context, invocation, err);
        interrupt_mute();
        return status < 0 && interrupt_pending() ? interrupt_report(err) : status;
}

static int run_command(const struct command *command, const char *const *argv, enum output_mode *mode, struct error **err)
{
        struct invocation invocation = { .dashes = -1 };
        _cleanup_(freep) struct common_options *options = xcalloc(1, command->options_size);
        _cleanup_(output_freep) struct output *output = NULL;
        struct context context = { 0 };
        int status;

        if (option_parse(command->options, argv, command->stop_at_operand, options, &invocation.operands, &invocation.dashes,
                         err) < 0) {
                status = error_hint_else(err, "machine %s --help", command->name);
                goto out;
        }
        /* Only a command with a tail needs the "--" to separate it from the names. */
        if (!command->stop_at_operand && command->operands_most != SIZE_MAX)
                invocation.dashes = -1;
        *mode = mode_of(options);
        if (options->quiet && options->verbose) {
                status = error_set(err, ERROR_USAGE, "--quiet and --verbose exclude each other");
                goto out;
        }
        if (options->help) {
                status = print_help(command, err);
                goto out;
        }
        status = check_operands(command, &invocation, err);
        if (status < 0)
                goto out;
        output = output_new(*mode, options->quiet);
        context = (struct context){
                .front = { .events = output_sink(output), .ask_trust = trust_prompt, .offer_project = offer_prompt },
                .mode = *mode,
                .quiet = options->quiet,
                .output = output,
        };
        invocation.options = options;
        status = command->orderly ? run_orderly(command, &context, &invocation, err) : command->run(&context, &invocation, err);
        if (status == 0 && fflush(stdout) != 0)
                status = error_errno(err, ERROR_FAILED, "cannot write to standard output");
out:
        option_clear(command->options, options);
        strv_clear(&invocation.operands);
        return status;
}

static int dispatch(const char *const *argv, enum output_mode *mode, struct error **err)
{
        _cleanup_(strv_clear) struct strv ordered = STRV_INIT;
        const struct command *command;

        *mode = guess_mode(argv);
        if (!argv[0] || (streq(argv[0], "--json") && !argv[1]))
                return run_command(&command_next, argv, mode, err);
        if (streq(argv[0], "--help") || streq(argv[0], "-h"))
                return print_help(NULL, err);
        if (streq(argv[0], "--version"))
                return run_command(&command_version, argv + 1, mode, err);
        if (argv[0][0] == '-') {
                if (!reorder(argv, &ordered)) {
                        error_set(err, ERROR_USAGE, "no command given with '%s'", argv[0]);
                        return error_hint(err, "machine COMMAND %s …; machine help lists the commands", argv[0]);
                }
                argv = strv_argv(&ordered);
        }
        command = find_command(argv[0], err);
        if (!command)
                return -1;
        return run_command(command, argv + 1, mode, err);
}

static void set_engines(void)
{
        static const char *names[PROJECT_ENGINES_MOST + 1];

        for (size_t i = 0; engines[i] && i < PROJECT_ENGINES_MOST; i++)
                names[i] = engines[i]->name;
        project_set_engines(names);
        vm_set_engines(engines);
}

int main(int argc, char **argv)
{
        _cleanup_(error_freep) struct error *err = NULL;
        enum output_mode mode = OUTPUT_AUTO;
        int status;

        setlocale(LC_CTYPE, "");
        /* When a reader goes away, a write fails with a message, instead of the program dying silently half-way through. */
        signal(SIGPIPE, SIG_IGN);
        /* So does one that would make a file larger than this process may (ulimit -f). */
        signal(SIGXFSZ, SIG_IGN);
        /* If it were inherited as ignored, no child's exit status could be read. */
        signal(SIGCHLD, SIG_DFL);
        set_engines();
        paths_set_ours();

        status = dispatch((const char *const *)(argc > 0 ? argv + 1 : argv), &mode, &err);
        if (status >= 0)
                return status;
        output_error(mode, err);
        return error_exit_status(err);
}
