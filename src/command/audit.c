#include "audit/audit.h"
#include "command/command.h"
#include "command/result.h"
#include "operation/running.h"
#include "show/audit.h"
#include "vm/vm.h"

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
        if (context->mode == OUTPUT_JSON) {
                result_json(show_audit(report));
                return;
        }
        for (size_t i = 0; i < report->count; i++) {
                const struct audit_finding *finding = &report->findings[i];

                if (finding->verdict == AUDIT_HELD && context->quiet)
                        continue;
                printf("%-12s %s: %s\n%12s %s\n", audit_verdict_name(finding->verdict), finding->line->id, finding->line->text,
                       "", finding->detail);
                if (finding->hint && finding->verdict != AUDIT_HELD)
                        printf("%12s -> %s\n", "", finding->hint);
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
                event_begin(context->front.events, "audit", "trying to cross the line around VM '%s'", vm.name);
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
