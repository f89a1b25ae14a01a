/*
 * `machine logs`: the end of one of a VM's logs, and what is added to it. All of it is text of the guest or about it, so it is
 * shown as plain text.
 */
#include "operation/logs.h"
#include "command/command.h"
#include "command/follow.h"
#include "command/result.h"
#include "lib/file.h"
#include "lib/text.h"
#include "operation/target.h"
#include "term/json_line.h"
#include "term/table.h"
#include "vm/console.h"
#include "vm/vm.h"

#define LINES_SHOWN 100
#define LINES_MOST  1000000
#define LINE_BYTES  (64 << 10)

struct logs_options {
        struct common_options common;
        bool follow, list, previous;
        int64_t lines;
        const char *log;
};

static const struct option options[] = {
        OPTION(struct logs_options, follow, "follow", 'f', OPTION_FLAG, NULL, "go on with what comes, until Ctrl-C"),
        { .name = "lines",
          .letter = 'n',
          .type = OPTION_INTEGER,
          .value_name = "N",
          .help = "how many of the last lines, 100 without this option",
          .offset = offsetof(struct logs_options, lines),
          .low = 1,
          .high = LINES_MOST },
        OPTION(struct logs_options, log, "log", 'l', OPTION_TEXT, "LOG", "another log than the console's, such as 'net'"),
        OPTION(struct logs_options, previous, "previous", 'p', OPTION_FLAG, NULL, "the log of the run before"),
        OPTION(struct logs_options, list, "list", 0, OPTION_FLAG, NULL, "print which logs there are, and their files"),
        COMMON_OPTIONS(struct logs_options),
        { 0 },
};

/* A log that is being printed. */
struct reader {
        struct event_sink sink; /* must be first: a sink is cast back to its reader */
        struct console console;
        const char *name;
        bool json;
};

static void print_line(struct event_sink *sink, const struct event *event)
{
        const struct reader *reader = (const struct reader *)sink;
        _cleanup_(json_decrefp) json_t *value = NULL;

        if (!reader->json) {
                puts(event->text);
                return;
        }
        value = json_pack("{s:s, s:o}", "log", reader->name, "line", json_line_text(event->text));
        json_line_print(value);
}

static int print_more(const struct vm *vm, void *data, struct error **err)
{
        struct reader *reader = data;

        while (console_report(&reader->console, &reader->sink))
                ;
        if (fflush(stdout) != 0)
                return error_errno(err, ERROR_FAILED, "cannot write to standard output");
        return 0;
}

static int print_log(struct context *context, const struct logs_options *given, const struct vm *vm, const char *name,
                     const char *path, struct error **err)
{
        struct reader reader = {
                .sink = { print_line },
                .console = { .fd = -1, .partial = STRBUF_INIT, .line_limit = LINE_BYTES },
                .name = name,
                .json = context->mode == OUTPUT_JSON,
        };
        size_t lines = given->lines > 0 ? (size_t)given->lines : LINES_SHOWN;
        int status = console_follow_last(&reader.console, path, lines, err);

        if (status == 0)
                status = print_more(vm, &reader, err);
        if (status == 0 && given->follow)
                status = follow(vm, print_more, &reader, err);
        if (status == 0)
                console_report_rest(&reader.console, &reader.sink);
        console_clear(&reader.console);
        return status;
}

static void list(struct context *context, const struct vm *vm, const struct logs *logs)
{
        static const char *const headings[] = { "LOG", "SIZE", "FILE", NULL };
        _cleanup_(table_freep) struct table *table = table_new(headings);
        json_t *array = json_array();

        for (size_t i = 0; i < logs->count; i++) {
                const struct log_file *log = &logs->items[i];
                _cleanup_(freep) char *size = text_format_size(log->bytes);

                table_add(table, (const char *const[]){ log->name, size, log->path });
                json_array_append_new(array, json_pack("{s:s, s:s, s:I}", "log", log->name, "file", log->path, "bytes",
                                                       (json_int_t)log->bytes));
        }
        result_list(context, array, table, "VM '%s' has no logs yet: machine up %s", vm->name, vm->name);
}

/* Names what else there is, because nobody knows it the first time. */
static void say_which(struct context *context, const struct vm *vm, const struct logs *logs, const struct log_file *log)
{
        _cleanup_(freep) char *names = logs_names(logs);

        if (context->mode != OUTPUT_JSON && !context->quiet && logs->count > 1)
                event_note(context->front.events, "this is '%s'; the logs of VM '%s' are: %s (machine logs %s --log NAME)",
                           log->path, vm->name, names, vm->name);
}

static int no_such(const struct vm *vm, const struct logs *logs, const char *name, struct error **err)
{
        _cleanup_(freep) char *names = logs_names(logs);

        if (logs->count == 0) {
                error_set(err, ERROR_NOT_FOUND, "VM '%s' has no logs yet", vm->name);
                return error_hint(err, "machine up %s", vm->name);
        }
        error_set(err, ERROR_NOT_FOUND, "VM '%s' has no log '%s'", vm->name, name);
        return error_hint(err, "its logs are: %s", names);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct logs_options *given = invocation->options;
        const char *name = given->log ? given->log : "console";
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(logs_clear) struct logs logs = LOGS_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *previous = NULL;
        const struct log_file *log;

        if (given->follow && given->previous)
                return error_set(err, ERROR_USAGE, "the log of the run before has ended: there is nothing to follow");
        if (target_existing(&context->front, invocation_name(invocation), &target, err) < 0 ||
            vm_open_existing(&vm, target.name, err) < 0 || logs_find(&vm, &logs, err) < 0)
                return -1;
        if (given->list) {
                list(context, &vm, &logs);
                return 0;
        }
        log = logs_get(&logs, name);
        if (!log)
                return no_such(&vm, &logs, name, err);
        previous = xasprintf("%s.1", log->path);
        if (given->previous && !file_exists(previous))
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' has no log '%s' of a run before", vm.name, name);
        say_which(context, &vm, &logs, log);
        output_settle(context->output);
        return print_log(context, given, &vm, name, given->previous ? previous : log->path, err);
}

const struct command command_logs = {
        .name = "logs",
        .operands = "[NAME]",
        .summary = "show what a VM's console said, and its other logs",
        .text = "Shows the end of the guest's console, or of another log with --log: 'net' (what the network process refused),\n"
                "'keys' (what was signed), 'recipe-…' (a step that failed). --list prints which there are. The logs that the\n"
                "guest keeps itself: machine run NAME -- journalctl -b",
        .options = options,
        .options_size = sizeof(struct logs_options),
        .operands_most = 1,
        .run = run,
};
