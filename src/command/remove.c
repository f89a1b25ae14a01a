#include "command/remove.h"

#include "term/prompt.h"

int remove_vm(struct context *context, struct vm *vm, const struct remove_options *given, const char *question,
              const char *command, struct error **err)
{
        _cleanup_(freep) char *hint = xasprintf("machine %s --yes %s", command, vm->name);
        int answer = 1;

        if (!given->discard_work && lifecycle_check_work(context, vm, err) < 0)
                return -1;
        output_settle(context->output);
        if (!given->yes)
                answer = prompt_yes(question, hint, err);
        if (answer < 0)
                return -1;
        if (answer == 0)
                return error_set(err, ERROR_FAILED, "VM '%s' was left as it is", vm->name);
        return lifecycle_destroy(context, vm, err);
}
