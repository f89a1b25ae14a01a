#include "command/command.h"
#include "command/result.h"
#include "lib/text.h"
#include "operation/observe.h"
#include "operation/target.h"
#include "plan/drift.h"
#include "show/vm.h"
#include "vm/vm.h"

struct status_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct status_options),
        { 0 },
};

static void print_state(const struct vm *vm, const struct vm_status *status, bool making)
{
        const struct vm_record *record = &vm->record;
        _cleanup_(freep) char *memory = text_format_size(record->memory_bytes);
        _cleanup_(freep) char *disk = text_format_size(record->disk_bytes);
        _cleanup_(freep) char *created = text_local_time(record->created);
        bool absent = status->state == VM_ABSENT;
        const char *state = absent ? "not created" : vm_state_name(status->state);

        printf("%s: %s (%s, %jd CPU%s, %s of memory, %s of disk%s%s)\n", vm->name, making ? VM_CREATING : state, record->engine,
               (intmax_t)record->cpus, record->cpus == 1 ? "" : "s", memory, disk, absent ? "" : ", created ",
               absent ? "" : created);
}

static void print_text(const struct vm *vm, const struct vm_status *status, const struct drift *drift, bool compared)
{
        bool making = vm_is_being_made(vm);

        if (!vm->exists) {
                printf("%s: there is no VM yet: machine up %s\n", vm->name, vm->name);
                return;
        }
        print_state(vm, status, making);
        if (making) {
                puts("another 'machine' command is making it");
                return;
        }
        if (status->reason) {
                _cleanup_(freep) char *text = vm_status_text(status);

                printf("%s%s%s\n", text, status->hint ? "; " : "", status->hint ? status->hint : "");
        }
        if (vm->record.intent != INTENT_NONE)
                printf("it is only half set up: machine up %s\n", vm->name);
        for (size_t i = 0; i < drift->count; i++) {
                _cleanup_(freep) char *text = drift_text(&drift->items[i], vm->name);
                _cleanup_(freep) char *visible = text_visible_dup(text);

                puts(visible);
        }
        if (compared && drift->count == 0 && vm->record.intent == INTENT_NONE)
                puts("up to date");
}

/* Where the configuration can't be used, the VM's state is shown all the same. */
static int look(struct front *front, const struct vm *vm, struct target *target, struct vm_status *status, struct drift *drift,
                struct error **err)
{
        if (vm->exists && target->configured && observe_drift(vm, target, status, drift, &target->trouble) == 0)
                return 0;
        if (vm->exists && vm_inspect(vm, status, err) < 0)
                return -1;
        target_warn(front, target, "the VM is not compared with it");
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(drift_clear) struct drift drift = DRIFT_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (target_existing(&context->front, invocation_name(invocation), &target, err) < 0 ||
            vm_open(&vm, target.name, err) < 0 || look(&context->front, &vm, &target, &status, &drift, err) < 0)
                return -1;
        if (!target.configured && !target.trouble)
                event_note(context->front.events, "VM '%s' belongs to no configured project", vm.name);
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(show_status(&vm, &status, &drift, !target.trouble));
        else
                print_text(&vm, &status, &drift, !target.trouble);
        return 0;
}

const struct command command_status = {
        .name = "status",
        .operands = "[NAME]",
        .summary = "show how a VM differs from its configuration",
        .text = "Shows each difference and what removes it: 'machine up', the next start, or only a new VM. Changes nothing.",
        .options = options,
        .options_size = sizeof(struct status_options),
        .operands_most = 1,
        .run = run,
};
