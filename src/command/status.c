#include "command/lifecycle.h"
#include "command/result.h"
#include "lib/text.h"

struct status_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct status_options),
        { 0 },
};

static json_t *drift_json(const struct drift *drift)
{
        json_t *array = json_array();

        for (size_t i = 0; i < drift->count; i++)
                json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "what", drift->items[i].what, "has",
                                                       drift->items[i].has, "wanted", drift->items[i].wanted, "remedy",
                                                       drift_remedy_name(drift->items[i].remedy)));
        return array;
}

static void print_json(const struct vm *vm, const struct vm_status *status, const struct drift *drift)
{
        result_json(json_pack("{s:s, s:s, s:s?, s:b, s:s?, s:o}", "name", vm->name, "state",
                              vm->exists ? vm_state_name(status->state) : "absent", "reason", status->reason, "set_up",
                              vm->exists && vm->record.intent == INTENT_NONE, "created", vm->exists ? vm->record.created : NULL,
                              "drift", drift_json(drift)));
}

static void print_text(const struct vm *vm, const struct vm_status *status, const struct drift *drift)
{
        _cleanup_(freep) char *memory = NULL;
        _cleanup_(freep) char *disk = NULL;

        if (!vm->exists) {
                printf("%s: there is no VM yet: machine up %s\n", vm->name, vm->name);
                return;
        }
        memory = text_format_size(vm->record.memory_bytes);
        disk = text_format_size(vm->record.disk_bytes);
        printf("%s: %s, by %s, %jd cpu%s, %s of memory, %s of disk, since %s\n", vm->name, vm_state_name(status->state),
               vm->record.engine, (intmax_t)vm->record.cpus, vm->record.cpus == 1 ? "" : "s", memory, disk, vm->record.created);
        if (status->reason)
                printf("%s\n", status->reason);
        if (vm->record.intent != INTENT_NONE)
                printf("it is only half set up: machine up %s\n", vm->name);
        for (size_t i = 0; i < drift->count; i++) {
                _cleanup_(freep) char *text = drift_text(&drift->items[i], vm->name);
                _cleanup_(freep) char *visible = text_visible_dup(text);

                puts(visible);
        }
        if (drift->count == 0 && vm->record.intent == INTENT_NONE)
                puts("as it is configured");
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(drift_clear) struct drift drift = DRIFT_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (target_named(context, invocation_name(invocation), &target, err) < 0 || vm_open(&vm, target.name, err) < 0)
                return -1;
        if (vm.exists && target.configured ? lifecycle_drift(&vm, &target, &status, &drift, err) < 0
                                           : vm.exists && vm_inspect(&vm, &status, err) < 0)
                return -1;
        if (!target.configured)
                event_note(context->events, "no project says what VM '%s' should be", vm.name);
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                print_json(&vm, &status, &drift);
        else
                print_text(&vm, &status, &drift);
        return 0;
}

const struct command command_status = {
        .name = "status",
        .operands = "[NAME]",
        .summary = "show what a VM has otherwise than its configuration",
        .text = "Each difference with what changes it: this 'machine up', the next start, or only a new VM. Nothing is changed.",
        .options = options,
        .options_size = sizeof(struct status_options),
        .operands_most = 1,
        .run = run,
};
