#include "operation/doctor.h"
#include "command/command.h"
#include "command/result.h"
#include "show/doctor.h"

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

static void print_check(const struct doctor_check *check)
{
        const char *verdict = show_doctor_verdict(check->verdict);

        printf("%-8s %-18s %s\n", verdict, check->name, check->detail);
        if (check->hint && check->verdict != DOCTOR_GOOD)
                printf("%-8s %-18s -> %s\n", "", "", check->hint);
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
        for (size_t i = 0; context->mode != OUTPUT_JSON && i < doctor.count; i++)
                if (doctor.checks[i].verdict != DOCTOR_GOOD || !context->quiet)
                        print_check(&doctor.checks[i]);
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
