#include "command/result.h"
#include "command/wake.h"
#include "guest/copy.h"
#include "lib/deadline.h"
#include "lib/text.h"

struct cp_options {
        struct common_options common;
        bool recursive;
};

static const struct option options[] = {
        OPTION(struct cp_options, recursive, "recursive", 'r', OPTION_FLAG, NULL, "copy folders with all that is in them"),
        COMMON_OPTIONS(struct cp_options),
        { 0 },
};

/* Is it NAME:PATH, with what may be a VM's name in front of the colon? Else it is a path of this computer. The name is the
 * caller's. */
static bool split(const char *text, char **name, const char **path)
{
        _cleanup_(freep) char *front = xstrndup(text, strcspn(text, ":"));

        if (text[strlen(front)] != ':' || !text_name_valid(front))
                return false;
        *path = text + strlen(front) + 1;
        *name = TAKE_PTR(front);
        return true;
}

static int copy_all(struct context *context, const struct vm *vm, const struct strv *operands, const char *path, bool out,
                    bool recursive, struct error **err)
{
        const char *target = operands->items[operands->count - 1];

        for (size_t i = 0; i + 1 < operands->count; i++) {
                const char *source = operands->items[i];
                int status;

                event_begin(context->events, "copy", "copying '%s'", source);
                status = out ? copy_out(vm, strchr(source, ':') + 1, target, recursive, err)
                             : copy_in(vm, source, path, recursive, err);
                event_end(context->events, "copy", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
                if (status < 0)
                        return -1;
        }
        return 0;
}

/* Which VM it is about, and which way; *path is the guest's where it is the target. */
static int judge(const struct strv *operands, char **name, const char **path, bool *out, struct error **err)
{
        const char *last = operands->count > 0 ? operands->items[operands->count - 1] : NULL;
        static const char hint[] = "machine cp NAME:PATH… PATH, or machine cp PATH… NAME:PATH";

        if (operands->count < 2) {
                error_set(err, ERROR_USAGE, "'machine cp' needs what to copy, and where to");
                return error_hint(err, hint);
        }
        *out = !split(last, name, path);
        for (size_t i = 0; i + 1 < operands->count; i++) {
                _cleanup_(freep) char *other = NULL;
                const char *rest;
                bool remote = split(operands->items[i], &other, &rest);

                if (remote != *out || (remote && *name && !streq(*name, other))) {
                        error_set(err, ERROR_USAGE, "one side is a VM's and the other this computer's, all of it");
                        return error_hint(err, hint);
                }
                if (remote && !*name)
                        *name = TAKE_PTR(other);
        }
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct cp_options *given = invocation->options;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *name = NULL;
        int64_t started = now_ms();
        const char *path = NULL;
        bool out = false;

        if (judge(&invocation->operands, &name, &path, &out, err) < 0 || wake(context, name, &vm, err) < 0 ||
            copy_all(context, &vm, &invocation->operands, path, out, given->recursive, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "running", .how = "copied", .started = started },
                     "copied %zu", invocation->operands.count - 1);
        return 0;
}

const struct command command_cp = {
        .name = "cp",
        .operands = "SOURCE… TARGET",
        .summary = "copy files into a VM, or out of it",
        .text = "One side is NAME:PATH, relative to the home of the guest's user; the other is this computer's. Nothing in the guest\n"
                "decides where something is written here; a link is not followed into a VM.",
        .options = options,
        .options_size = sizeof(struct cp_options),
        .operands_most = SIZE_MAX,
        .run = run,
};
