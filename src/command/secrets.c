#include "guest/secrets.h"
#include "command/command.h"
#include "command/result.h"
#include "lib/deadline.h"
#include "operation/running.h"
#include "operation/secrets.h"
#include "operation/target.h"
#include "vm/vm.h"

struct secrets_options {
        struct common_options common;
        bool clear;
};

static const struct option options[] = {
        OPTION(struct secrets_options, clear, "clear", 0, OPTION_FLAG, NULL, "remove them from the VM's memory"),
        COMMON_OPTIONS(struct secrets_options),
        { 0 },
};

static int check_named(const struct target *target, struct error **err)
{
        if (secrets_wanted(&target->project))
                return 0;
        error_set(err, ERROR_CONFIG, "project '%s' names no secrets", target->name);
        return error_hint(err, "put KEY = \"op://…\" below [%s.secrets] in '%s'", target->name, target->projects.file);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct secrets_options *given = invocation->options;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int64_t started = now_ms();
        size_t count;

        if ((given->clear ? target_existing : target_named)(&context->front, invocation_name(invocation), &target, err) < 0 ||
            (!given->clear && check_named(&target, err) < 0) ||
            running_open_by_name(&context->front, target.name, &vm, err) < 0)
                return -1;
        if ((given->clear ? secrets_clear(&vm, err) : secrets_bring(&context->front, &vm, &target.project, true, err)) < 0)
                return -1;
        count = given->clear ? 0 : target.project.secret_count + target.project.environments.count;
        result_print(context,
                     &(struct result){ .name = vm.name,
                                       .state = "running",
                                       .how = given->clear ? "cleared" : "loaded",
                                       .started = started },
                     "VM '%s' has %zu secret%s in its memory", vm.name, count, count == 1 ? "" : "s");
        return 0;
}

const struct command command_secrets = {
        .name = "secrets",
        .operands = "[NAME]",
        .summary = "load a project's secrets into its VM's memory",
        .text = "Loads the secrets that [NAME.secrets] and op_env in projects.toml name into /run/secrets and\n"
                "$XDG_RUNTIME_DIR/dev-secrets in the guest, which are never on a disk. 'up' and each start do it, too.",
        .options = options,
        .options_size = sizeof(struct secrets_options),
        .operands_most = 1,
        .run = run,
};
