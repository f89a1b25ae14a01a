#include "command/remove.h"
#include "command/command.h"

#include "operation/destroy.h"
#include "term/prompt.h"
#include "vm/vm.h"

int remove_vm(struct context *context, struct vm *vm, const struct remove_options *given, const char *question,
              const char *command, struct error **err)
{
        _cleanup_(freep) char *hint = xasprintf("machine %s --yes %s", command, vm->name);
        int answer = 1;

        if (!given->discard_work && destroy_check_work(&context->front, vm, err) < 0)
                return -1;
        output_settle(context->output);
        if (!given->yes)
                answer = prompt_yes(question, hint, err);
        if (answer < 0)
                return -1;
        if (answer == 0)
                return error_set(err, ERROR_FAILED, "VM '%s' was left as it is", vm->name);
        return destroy_vm(&context->front, vm, err);
}
