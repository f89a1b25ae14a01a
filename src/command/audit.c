#include "audit/audit.h"

#include <unistd.h>

#include "command/command.h"
#include "command/result.h"
#include "operation/running.h"
#include "show/audit.h"
#include "term/terminal.h"
#include "term/width.h"
#include "vm/vm.h"

#define INDENT 13

struct audit_options {
        struct common_options common;
        bool list;
};

static const struct option options[] = {
        OPTION(struct audit_options, list, "list", 0, OPTION_FLAG, NULL, "print the lines and measure nothing"),
        COMMON_OPTIONS(struct audit_options),
        { 0 },
};

/* Collects the VMs besides `vm`. Leaves out those that can't be read, since their ports aren't known. */
static int collect_others(const struct vm *vm, struct vm **out, size_t *count, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (vm_list(&names, err) < 0)
                return -1;
        *out = xcalloc(names.count + 1, sizeof(**out));
        for (size_t i = 0; i < names.count; i++) {
                if (streq(names.items[i], vm->name))
                        continue;
                (*out)[*count] = (struct vm)VM_INIT;
                if (vm_open(&(*out)[*count], names.items[i], NULL) < 0)
                        vm_clear(&(*out)[*count]);
                else
                        (*count)++;
        }
        return 0;
}

/* What is open by the project's own wish: "the guest reaches nothing" would then say the opposite. */
static const char *text_of(const struct audit_finding *finding)
{
        static const struct {
                const char *id, *text;
        } opened[] = {
                { "lan", "the guest may reach private addresses around this computer" },
                { "metadata", "the guest may reach a cloud's metadata service" },
                { "egress", "the guest may reach every host on the internet" },
                { "lent-keys", "a session that lends the agent lends all of its keys" },
                { "key-hosts", "a lent key may log in to any host" },
        };

        for (size_t i = 0; finding->verdict == AUDIT_OPEN && i < ARRAY_SIZE(opened); i++)
                if (streq(opened[i].id, finding->line->id))
                        return opened[i].text;
        return finding->line->text;
}

static void print_finding(const struct audit_finding *finding, size_t columns)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(freep) char *text = xasprintf("%s: %s", finding->line->id, text_of(finding));
        _cleanup_(freep) char *hint = finding->hint ? xasprintf("-> %s", finding->hint) : NULL;

        strbuf_addf(&out, "%-12s ", audit_verdict_name(finding->verdict));
        width_wrap(&out, text, columns, INDENT);
        strbuf_addf(&out, "\n%*s", INDENT, "");
        width_wrap(&out, finding->detail, columns, INDENT);
        if (hint && finding->verdict != AUDIT_HELD) {
                strbuf_addf(&out, "\n%*s", INDENT, "");
                width_wrap(&out, hint, columns, INDENT);
        }
        puts(out.buf);
}

static void print_lines(const struct context *context)
{
        if (context->mode == OUTPUT_JSON) {
                result_json(show_audit_lines());
                return;
        }
        for (const struct audit_line *line = audit_lines; line->id; line++)
                printf("%-16s %s\n", line->id, line->text);
}

static void print_report(const struct context *context, const struct audit_report *report)
{
        size_t columns;

        if (context->mode == OUTPUT_JSON) {
                result_json(show_audit(report));
                return;
        }
        columns = terminal_columns(STDOUT_FILENO);
        for (size_t i = 0; i < report->count; i++) {
                const struct audit_finding *finding = &report->findings[i];

                if (finding->verdict == AUDIT_HELD && context->quiet)
                        continue;
                print_finding(finding, columns);
        }
}

static int audit(struct context *context, const char *name, struct audit_report *report, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        struct vm *others = NULL;
        size_t count = 0;
        int status = -1;

        if (running_open(&context->front, name, &vm, err) < 0)
                return -1;
        if (collect_others(&vm, &others, &count, err) == 0) {
                event_begin(context->front.events, "audit", "testing the isolation of VM '%s'", vm.name);
                status = audit_run(&vm, others, count, report, err);
                event_end(context->front.events, "audit", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        }
        for (size_t i = 0; i < count; i++)
                vm_clear(&others[i]);
        free(others);
        return status;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct audit_options *given = invocation->options;
        _cleanup_(audit_report_clear) struct audit_report report = AUDIT_REPORT_INIT;
        size_t failures;

        if (given->list) {
                print_lines(context);
                return 0;
        }
        if (audit(context, invocation_name(invocation), &report, err) < 0)
                return -1;
        output_settle(context->output);
        print_report(context, &report);
        failures = audit_failures(&report);
        if (failures == 0)
                return 0;
        return error_set(err, ERROR_FAILED, "%zu check%s failed or could not be measured", failures, failures == 1 ? "" : "s");
}

const struct command command_audit = {
        .name = "audit",
        .operands = "[NAME]",
        .summary = "measure what does and doesn't cross the line around a running VM",
        .text = "Goes through every line of the threat model: tries to cross it as root in the guest, and looks from outside.\n"
                "Each line is 'held', 'crossed', 'open' (crossed because the configuration says so), 'unavailable' (crossed, and\n"
                "the engine can't hold it) or 'unknown' (could not be measured). Starts the VM if it doesn't run. Exit status 1\n"
                "when a line is crossed or unknown.",
        .options = options,
        .options_size = sizeof(struct audit_options),
        .operands_most = 1,
        .run = run,
};
