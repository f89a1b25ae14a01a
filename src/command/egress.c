#include <poll.h>
#include <signal.h>

#include "command/follow.h"
#include "command/learn.h"
#include "command/result.h"
#include "command/target.h"
#include "lib/deadline.h"
#include "lib/text.h"
#include "term/table.h"
#include "vm/account.h"

struct egress_options {
        struct common_options common;
        bool follow, learn;
};

static const struct option options[] = {
        OPTION(struct egress_options, follow, "follow", 'f', OPTION_FLAG, NULL, "go on with what comes, until the VM stops"),
        OPTION(struct egress_options, learn, "learn", 'l', OPTION_FLAG, NULL, "print the rules that would allow it"),
        COMMON_OPTIONS(struct egress_options),
        { 0 },
};

#define READ_MS  2000
#define PAUSE_MS 50

static int read_account(const struct vm *vm, struct account *out, struct error **err)
{
        deadline limit = deadline_in(READ_MS);
        int found;

        while ((found = account_read(vm, out, err)) == 0 && !deadline_passed(limit))
                poll(NULL, 0, PAUSE_MS);
        if (found == 0)
                return error_set(err, ERROR_FAILED, "what machine-net has counted of VM '%s' can't be read", vm->name);
        return found < 0 ? -1 : 0;
}

/* --- shown */

static json_t *line_json(const struct account_line *line)
{
        _cleanup_(freep) char *first = text_format_time(line->first);
        _cleanup_(freep) char *last = text_format_time(line->last);

        return json_pack("{s:s, s:s, s:s?, s:s?, s:I, s:I, s:I, s:I, s:s?, s:s, s:s}", "verdict",
                         line->reached ? "reached" : "refused", "protocol", line->protocol, "name", line->name, "address",
                         line->address, "port", (json_int_t)line->port, "count", (json_int_t)line->count, "sent",
                         (json_int_t)line->sent, "received", (json_int_t)line->received, "reason", line->reason, "first", first,
                         "last", last);
}

static void line_row(const struct account_line *line, struct table *table)
{
        _cleanup_(freep) char *port = xasprintf("%jd", (intmax_t)line->port);
        _cleanup_(freep) char *count = xasprintf("%jd", (intmax_t)line->count);
        _cleanup_(freep) char *sent = line->reached ? text_format_size(line->sent) : NULL;
        _cleanup_(freep) char *received = line->reached ? text_format_size(line->received) : NULL;
        _cleanup_(freep) char *last = text_format_time(line->last);

        table_add(table, (const char *const[]){ line->reached ? "reached" : "refused", line->protocol, line->name,
                                                line->address, port, count, sent, received, line->reason, last });
}

static void show(struct context *context, const struct vm *vm, const struct account *account)
{
        static const char *const headings[] = { "VERDICT", "BY",       "NAME",   "ADDRESS", "PORT", "COUNT",
                                                "SENT",    "RECEIVED", "REASON", "LAST",    NULL };
        _cleanup_(table_freep) struct table *table = table_new(headings);
        json_t *all = json_array();

        for (size_t i = 0; i < account->count; i++) {
                json_array_append_new(all, line_json(&account->lines[i]));
                line_row(&account->lines[i], table);
        }
        if (context->mode == OUTPUT_JSON)
                result_json(json_incref(all));
        else if (account->count > 0)
                table_print(table, stdout);
        else if (!context->quiet)
                fprintf(stderr, "VM '%s' has reached nobody since it was started\n", vm->name);
        json_decref(all);
}

/* --- followed */

static const struct account_line *find_same(const struct account *account, const struct account_line *line)
{
        for (size_t i = 0; i < account->count; i++) {
                const struct account_line *other = &account->lines[i];

                if (other->reached == line->reached && other->port == line->port && streq(other->protocol, line->protocol) &&
                    streq_ptr(other->name, line->name) && streq_ptr(other->address, line->address) &&
                    streq_ptr(other->reason, line->reason))
                        return other;
        }
        return NULL;
}

static void print_line(struct context *context, const struct account_line *line, FILE *stream)
{
        _cleanup_(freep) char *last = text_format_time(line->last);

        if (context->mode == OUTPUT_JSON)
                result_json(line_json(line));
        else
                fprintf(stream, "%s %s %s %s %s %jd%s%s\n", last, line->reached ? "reached" : "refused", line->protocol,
                        line->name ? line->name : "-", line->address ? line->address : "-", (intmax_t)line->port,
                        line->reason ? " " : "", line->reason ? line->reason : "");
        fflush(stream);
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
        interrupted = number;
}

struct following {
        struct context *context;
        struct account *before;
        FILE *stream;        /* NULL = nothing is shown */
        struct watch *watch; /* NULL = goes on until the VM stops */
};

/* 1 once Ctrl-C has ended the watching. */
static int look_again(const struct vm *vm, void *data, struct error **err)
{
        const struct following *following = data;
        struct account now = ACCOUNT_INIT;

        if (read_account(vm, &now, err) < 0)
                return -1;
        for (size_t i = 0; i < now.count; i++) {
                const struct account_line *old = find_same(following->before, &now.lines[i]);

                if (following->stream && (!old || old->count != now.lines[i].count))
                        print_line(following->context, &now.lines[i], following->stream);
        }
        account_clear(following->before);
        *following->before = now;
        if (following->watch)
                watch_take(following->watch);
        return interrupted ? 1 : 0;
}

/* --- learned while somebody watches */

/* What comes is for the eye; what was learned is printed at the end, by itself. */
static int learn_watching(struct context *context, const struct target *target, const struct vm *vm, struct account *account,
                          struct error **err)
{
        const struct sigaction action = { .sa_handler = on_interrupt };
        _cleanup_(watch_clear) struct watch watch = WATCH_INIT;
        struct following following = { context, account, context->quiet || context->mode == OUTPUT_JSON ? NULL : stderr,
                                       &watch };

        if (!vm_runs(vm)) {
                error_set(err, ERROR_FAILED, "VM '%s' doesn't run: nothing comes", vm->name);
                return error_hint(err, "machine up %s", vm->name);
        }
        if (watch_begin(vm, &watch, err) < 0)
                return -1;
        if (watch.missing && !context->quiet)
                fprintf(stderr, "warning: the guest can't tell everything: %s\n", watch.missing);
        if (following.stream)
                fprintf(following.stream, "watching VM '%s' until Ctrl-C: run there what is to be allowed\n", vm->name);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        if (follow(vm, look_again, &following, err) < 0)
                return -1;
        watch_end(&watch);
        learn_print(context, target, vm, account, &watch);
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct egress_options *given = invocation->options;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(account_clear) struct account account = ACCOUNT_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (target_named(context, invocation_name(invocation), &target, err) < 0 || vm_open_existing(&vm, target.name, err) < 0)
                return -1;
        if (!vm.engine->holds_rules)
                return error_set(err, ERROR_ENGINE, "engine '%s' doesn't see whom VM '%s' reaches", vm.engine->name, vm.name);
        if (read_account(&vm, &account, err) < 0)
                return -1;
        output_settle(context->output);
        if (given->learn && given->follow)
                return learn_watching(context, &target, &vm, &account, err);
        if (given->learn)
                learn_print(context, &target, &vm, &account, NULL);
        else if (!given->follow || context->mode != OUTPUT_JSON)
                show(context, &vm, &account);
        return given->follow ? follow(&vm, look_again, &(struct following){ context, &account, stdout, NULL }, err) : 0;
}

const struct command command_egress = {
        .name = "egress",
        .operands = "[NAME]",
        .summary = "show whom a VM has reached and whom it was refused",
        .text = "Since it was started, as the network process saw it: by the name that was asked for or shown, with connections and\n"
                "bytes. With --learn the rules that would allow all of it, for the project in projects.toml; with --follow too, until\n"
                "Ctrl-C, and by which of the guest's programs, which is its own word.",
        .options = options,
        .options_size = sizeof(struct egress_options),
        .operands_most = 1,
        .run = run,
};
