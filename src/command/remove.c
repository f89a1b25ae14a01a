#include "command/remove.h"
#include "command/command.h"
#include "command/result.h"

#include "guest/archive.h"
#include "lib/interrupt.h"
#include "lib/text.h"
#include "operation/destroy.h"
#include "show/work.h"
#include "term/prompt.h"
#include "vm/vm.h"

static int check_work(struct context *context, struct vm *vm, const char *command, struct error **err)
{
        _cleanup_(work_clear) struct work found = WORK_INIT;
        int status = destroy_check_work(&context->front, vm, &found, err);

        if (work_any(&found) && context->mode == OUTPUT_JSON)
                result_json(show_work(vm->name, &found));
        if (status == 0 || !work_any(&found))
                return status;
        return error_hint(err,
                          "to keep it: machine %s --save %s" ARCHIVE_SUFFIX " %s; to discard it: machine %s --discard-work %s",
                          command, vm->name, vm->name, command, vm->name);
}

/* The same command with --yes, and with what the user said of the VM's work. Owned by the caller. */
static char *without_question(const struct vm *vm, const struct remove_options *given, const char *command)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        strv_adds(&argv, "machine", command, "--yes", NULL);
        if (given->discard_work)
                strv_add(&argv, "--discard-work");
        if (given->save)
                strv_adds(&argv, "--save", given->save, NULL);
        strv_add(&argv, vm->name);
        return text_shell_join(strv_argv(&argv));
}

int remove_vm(struct context *context, struct vm *vm, const struct remove_options *given, const char *question,
              const char *command, struct error **err)
{
        _cleanup_(freep) char *hint = without_question(vm, given, command);
        int answer = 1;

        if (given->save && archive_check_place(given->save, err) < 0)
                return -1;
        if (!given->save && !given->discard_work && check_work(context, vm, command, err) < 0)
                return -1;
        output_settle(context->output);
        if (!given->yes)
                answer = prompt_yes(question, hint, err);
        if (answer < 0)
                return -1;
        if (answer == 0)
                return error_set(err, ERROR_FAILED, "VM '%s' was left as it is", vm->name);
        if (given->save && destroy_save_work(&context->front, vm, given->save, err) < 0)
                return -1;
        interrupt_next("machine %s %s", command, vm->name);
        return destroy_vm(&context->front, vm, err);
}
