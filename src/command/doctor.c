#include "operation/doctor.h"

#include <unistd.h>

#include "command/command.h"
#include "command/result.h"
#include "lib/text.h"
#include "show/doctor.h"
#include "term/terminal.h"
#include "term/width.h"

struct doctor_options {
        struct common_options common;
        bool layers, repair;
};

static const struct option options[] = {
        OPTION(struct doctor_options, layers, "layers", 0, OPTION_FLAG, NULL,
               "also read all layers, and compare them with their hashes"),
        OPTION(struct doctor_options, repair, "repair", 0, OPTION_FLAG, NULL, "first mend what can be mended without loss"),
        COMMON_OPTIONS(struct doctor_options),
        { 0 },
};

#define VERDICT_WIDTH 9
#define NAME_WIDTH    19
/* On a terminal narrower than that, details get lines of their own. */
#define BESIDE_LEAST 60

static void add_verdict(const struct terminal *terminal, const struct doctor_check *check, struct strbuf *out)
{
        static const enum style styles[] = {
                [DOCTOR_GOOD] = STYLE_GREEN, [DOCTOR_WARNING] = STYLE_YELLOW, [DOCTOR_BAD] = STYLE_RED
        };
        const char *word = check->optional ? "optional" : show_doctor_verdict(check->verdict);

        terminal_style(terminal, out, check->optional ? STYLE_DIM : styles[check->verdict], word);
        strbuf_addf(out, "%*s", VERDICT_WIDTH - (int)strlen(word), "");
}

static void print_check(const struct terminal *terminal, const struct doctor_check *check, size_t columns)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(freep) char *detail = text_visible_dup(check->detail);
        _cleanup_(freep) char *hint = check->hint ? xasprintf("-> %s", check->hint) : NULL;
        bool beside = columns >= BESIDE_LEAST;
        size_t indent = beside ? VERDICT_WIDTH + NAME_WIDTH : 2;

        add_verdict(terminal, check, &out);
        if (beside)
                strbuf_addf(&out, "%-*s", NAME_WIDTH - 1, check->name);
        else
                width_wrap(&out, check->name, columns, VERDICT_WIDTH);
        strbuf_adds(&out, beside ? " " : "\n  ");
        width_wrap(&out, detail, columns, indent);
        if (hint && (check->verdict != DOCTOR_GOOD || check->optional)) {
                strbuf_addf(&out, "\n%*s", (int)indent, "");
                width_wrap(&out, hint, columns, indent);
        }
        puts(out.buf);
}

static void print_checks(const struct context *context, const struct doctor *doctor)
{
        struct terminal terminal = terminal_of(STDOUT_FILENO);
        size_t columns = terminal_columns(STDOUT_FILENO);

        if (context->mode != OUTPUT_AUTO)
                terminal.color = false;
        for (size_t i = 0; i < doctor->count; i++)
                if (doctor->checks[i].verdict != DOCTOR_GOOD || !context->quiet)
                        print_check(&terminal, &doctor->checks[i], columns);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct doctor_options *given = invocation->options;
        _cleanup_(doctor_clear) struct doctor doctor = DOCTOR_INIT;

        doctor_look(&(struct doctor_wish){ .front = &context->front, .layers = given->layers, .repair = given->repair },
                    &doctor);
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(show_doctor(&doctor));
        else
                print_checks(context, &doctor);
        if (doctor.bad == 0)
                return 0;
        return error_set(err, ERROR_FAILED, "%u check%s failed", doctor.bad, doctor.bad == 1 ? "" : "s");
}

const struct command command_doctor = {
        .name = "doctor",
        .operands = "",
        .summary = "check this computer, the configuration and every VM",
        .text = "Prints, for each problem, the command that fixes it. Exit status 1 when a check failed. With --repair: writes records\n"
                "of VMs and manifests of layers anew when they can't be read, from a copy or from what the disks say, and removes\n"
                "damaged layers that no VM needs. What is damaged of a VM is set aside, under a name that ends in .damaged.",
        .options = options,
        .options_size = sizeof(struct doctor_options),
        .operands_most = 0,
        .run = run,
};
