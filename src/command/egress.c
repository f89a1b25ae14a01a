#include "show/egress.h"
#include "command/command.h"
#include "command/follow.h"
#include "command/result.h"
#include "lib/interrupt.h"
#include "lib/text.h"
#include "operation/learn.h"
#include "operation/target.h"
#include "vm/account.h"
#include "vm/vm.h"

struct egress_options {
        struct common_options common;
        bool follow, learn;
};

static const struct option options[] = {
        OPTION(struct egress_options, follow, "follow", 'f', OPTION_FLAG, NULL, "keep printing what comes, until the VM stops"),
        OPTION(struct egress_options, learn, "learn", 'l', OPTION_FLAG, NULL, "print the rules that would allow this"),
        COMMON_OPTIONS(struct egress_options),
        { 0 },
};

static void line_row(const struct account_line *line, struct table *table)
{
        _cleanup_(freep) char *port = xasprintf("%jd", (intmax_t)line->port);
        _cleanup_(freep) char *count = xasprintf("%jd", (intmax_t)line->count);
        _cleanup_(freep) char *sent = line->reached ? text_format_size(line->sent) : NULL;
        _cleanup_(freep) char *received = line->reached ? text_format_size(line->received) : NULL;
        _cleanup_(freep) char *last = text_local_time_of(line->last);

        table_add(table, (const char *const[]){ line->reached ? "reached" : "refused", line->protocol, line->name,
                                                line->address, port, count, sent, received, line->reason, last });
}

static void show(struct context *context, const struct vm *vm, const struct account *account)
{
        static const char *const headings[] = { "VERDICT", "PROTOCOL", "NAME",   "ADDRESS", "PORT", "COUNT",
                                                "SENT",    "RECEIVED", "REASON", "LAST",    NULL };
        _cleanup_(table_freep) struct table *table = table_new(headings);
        json_t *all = json_array();

        for (size_t i = 0; i < account->count; i++) {
                json_array_append_new(all, show_account_line(&account->lines[i]));
                line_row(&account->lines[i], table);
        }
        result_list(context, all, table, "no connections of VM '%s' yet", vm->name);
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
        _cleanup_(freep) char *last = text_local_time_of(line->last);

        if (context->mode == OUTPUT_JSON)
                result_json(show_account_line(line));
        else
                fprintf(stream, "%s %s %s %s %s %jd%s%s\n", last, line->reached ? "reached" : "refused", line->protocol,
                        line->name ? line->name : "-", line->address ? line->address : "-", (intmax_t)line->port,
                        line->reason ? " " : "", line->reason ? line->reason : "");
        fflush(stream);
}

struct following {
        struct context *context;
        struct account *before;
        FILE *stream;        /* NULL = nothing is shown */
        struct watch *watch; /* NULL = goes on until the VM stops */
};

/* Prints what is new or was counted again. Returns 1 once Ctrl-C was pressed. */
static int look_again(const struct vm *vm, void *data, struct error **err)
{
        const struct following *following = data;
        struct account now = ACCOUNT_INIT;

        if (vm->engine->account(vm, &now, err) < 0)
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
        return interrupt_pending() ? 1 : 0;
}

/* --- learned */

static void print_rule(const char *rule, const struct strv *programs)
{
        _cleanup_(freep) char *list = programs && programs->count > 0 ? strv_join(programs, ", ") : NULL;

        printf("        \"%s\",%s%s%s\n", rule, list ? " # " : "", list ? list : "", list ? ", says the guest" : "");
}

static void print_learned(struct context *context, const struct target *target, const struct vm *vm,
                          const struct account *account, const struct watch *watch)
{
        _cleanup_(learned_clear) struct learned learned = LEARNED_INIT;

        learn(target, vm, account, watch, &learned);
        if (context->mode == OUTPUT_JSON) {
                result_json(show_learned(&learned));
                return;
        }
        puts("egress = \"allow\"\nallow = [");
        for (size_t i = 0; i < learned.rules.count; i++)
                print_rule(learned.rules.items[i], learned.programs ? &learned.programs[i] : NULL);
        puts("]");
}

/* Shows what comes on stderr; prints the rules on stdout, at the end. */
static int learn_watching(struct context *context, const struct target *target, const struct vm *vm, struct account *account,
                          struct error **err)
{
        _cleanup_(watch_clear) struct watch watch = WATCH_INIT;
        struct following following = { context, account, context->quiet || context->mode == OUTPUT_JSON ? NULL : stderr,
                                       &watch };

        if (!vm_runs(vm)) {
                error_set(err, ERROR_FAILED, "VM '%s' doesn't run, so there is nothing to watch", vm->name);
                return error_hint(err, "machine up %s", vm->name);
        }
        if (watch_begin(vm, &watch, err) < 0)
                return -1;
        if (watch.missing && !context->quiet)
                fprintf(stderr, "warning: the guest can't report everything: %s\n", watch.missing);
        if (following.stream)
                fprintf(following.stream, "watching VM '%s' until Ctrl-C: now run in it what should be allowed\n", vm->name);
        if (interrupt_catch(NULL, NULL, err) < 0 || follow(vm, look_again, &following, err) < 0)
                return -1;
        /* Here Ctrl-C is not what stops the command, but what it waits for. */
        interrupt_hold();
        watch_end(&watch);
        print_learned(context, target, vm, account, &watch);
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct egress_options *given = invocation->options;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(account_clear) struct account account = ACCOUNT_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (target_existing(&context->front, invocation_name(invocation), &target, err) < 0 ||
            vm_open_existing(&vm, target.name, err) < 0)
                return -1;
        if (!vm.engine->account)
                return error_set(err, ERROR_ENGINE, "engine '%s' doesn't see what VM '%s' reaches", vm.engine->name, vm.name);
        if (vm.engine->account(&vm, &account, err) < 0)
                return -1;
        output_settle(context->output);
        if (given->learn && given->follow)
                return learn_watching(context, &target, &vm, &account, err);
        if (given->learn)
                print_learned(context, &target, &vm, &account, NULL);
        else if (!given->follow || context->mode != OUTPUT_JSON)
                show(context, &vm, &account);
        return given->follow ? follow(&vm, look_again, &(struct following){ context, &account, stdout, NULL }, err) : 0;
}

const struct command command_egress = {
        .name = "egress",
        .operands = "[NAME]",
        .summary = "show which hosts a VM has reached and which it was refused",
        .text = "Shows what the network process saw since the VM was started: each host by the name that was asked for or shown, with\n"
                "connections and bytes. With --learn: the rules that would allow all of it, for the project in projects.toml. With\n"
                "--learn --follow: the same after Ctrl-C, with the guest's programs that wanted it, as the guest reports them.",
        .options = options,
        .options_size = sizeof(struct egress_options),
        .operands_most = 1,
        .run = run,
};
