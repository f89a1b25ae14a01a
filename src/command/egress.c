#include <poll.h>

#include "audit/audit.h"
#include "command/follow.h"
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

static void print_line(struct context *context, const struct account_line *line)
{
        _cleanup_(freep) char *last = text_format_time(line->last);

        if (context->mode == OUTPUT_JSON)
                result_json(line_json(line));
        else
                printf("%s %s %s %s %s %jd%s%s\n", last, line->reached ? "reached" : "refused", line->protocol,
                       line->name ? line->name : "-", line->address ? line->address : "-", (intmax_t)line->port,
                       line->reason ? " " : "", line->reason ? line->reason : "");
        fflush(stdout);
}

struct following {
        struct context *context;
        struct account *before;
};

static int look_again(const struct vm *vm, void *data, struct error **err)
{
        const struct following *following = data;
        struct account now = ACCOUNT_INIT;

        if (read_account(vm, &now, err) < 0)
                return -1;
        for (size_t i = 0; i < now.count; i++) {
                const struct account_line *old = find_same(following->before, &now.lines[i]);

                if (!old || old->count != now.lines[i].count)
                        print_line(following->context, &now.lines[i]);
        }
        account_clear(following->before);
        *following->before = now;
        return 0;
}

/* --- learned */

/* The rule that would let this through; NULL = none would, or none is needed. Owned by the caller. */
static char *rule_for(const struct account_line *line)
{
        static const char *const by_rules[] = { "name", "port", "address", "sni", "host-header", "egress" };
        bool ours = line->reached;

        for (size_t i = 0; !ours && i < ARRAY_SIZE(by_rules); i++)
                ours = streq(line->reason, by_rules[i]);
        /* "_http._tcp.example.org" asks what serves a name, and nothing is reached by it. */
        if (!ours || (line->name && *line->name == '_'))
                return NULL;
        if (line->name)
                return streq(line->protocol, "dns") || line->port == 80 || line->port == 443
                               ? xstrdup(line->name)
                               : xasprintf("%s:%jd", line->name, (intmax_t)line->port);
        if (!line->address || line->port == 0 || audit_tries(line->address))
                return NULL;
        return xasprintf("%s/32:%jd", line->address, (intmax_t)line->port);
}

static void learn(struct context *context, const struct vm *vm, const struct account *account)
{
        _cleanup_(strv_clear) struct strv rules = STRV_INIT;

        strv_add_all(&rules, &vm->record.allow);
        for (size_t i = 0; i < account->count; i++) {
                _cleanup_(freep) char *rule = rule_for(&account->lines[i]);

                if (rule && !strv_contains(&rules, rule))
                        strv_take(&rules, TAKE_PTR(rule));
        }
        strv_sort(&rules);
        if (context->mode == OUTPUT_JSON) {
                json_t *list = json_array();

                for (size_t i = 0; i < rules.count; i++)
                        json_array_append_new(list, json_string(rules.items[i]));
                result_json(json_pack("{s:s, s:o}", "egress", "allow", "allow", list));
                return;
        }
        puts("egress = \"allow\"\nallow = [");
        for (size_t i = 0; i < rules.count; i++)
                printf("        \"%s\",\n", rules.items[i]);
        puts("]");
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct egress_options *given = invocation->options;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(account_clear) struct account account = ACCOUNT_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (given->follow && given->learn)
                return error_set(err, ERROR_USAGE, "--follow and --learn don't go together");
        if (target_named(context, invocation_name(invocation), &target, err) < 0 || vm_open_existing(&vm, target.name, err) < 0)
                return -1;
        if (!vm.engine->holds_rules)
                return error_set(err, ERROR_ENGINE, "engine '%s' doesn't see whom VM '%s' reaches", vm.engine->name, vm.name);
        if (read_account(&vm, &account, err) < 0)
                return -1;
        output_settle(context->output);
        if (given->learn)
                learn(context, &vm, &account);
        else if (!given->follow || context->mode != OUTPUT_JSON)
                show(context, &vm, &account);
        return given->follow ? follow(&vm, look_again, &(struct following){ context, &account }, err) : 0;
}

const struct command command_egress = {
        .name = "egress",
        .operands = "[NAME]",
        .summary = "show whom a VM has reached and whom it was refused",
        .text = "Since it was started, as the network process saw it: by the name that was asked for or shown, with connections and\n"
                "bytes. With --learn the rules that would allow all of it, for the project in projects.toml.",
        .options = options,
        .options_size = sizeof(struct egress_options),
        .operands_most = 1,
        .run = run,
};
