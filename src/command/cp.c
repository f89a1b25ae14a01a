#include "command/command.h"
#include "command/result.h"
#include "guest/copy.h"
#include "lib/deadline.h"
#include "lib/text.h"
#include "operation/running.h"
#include "vm/vm.h"

struct cp_options {
        struct common_options common;
        bool recursive, repos;
        const char *most;
};

#define MOST_DEFAULT "10GiB"

static const struct option options[] = {
        OPTION(struct cp_options, recursive, "recursive", 'r', OPTION_FLAG, NULL, "copy folders with everything in them"),
        OPTION(struct cp_options, most, "max-size", 0, OPTION_TEXT, "SIZE",
               "most that each source may bring out of a VM (default " MOST_DEFAULT ")"),
        OPTION(struct cp_options, repos, "repos", 0, OPTION_FLAG, NULL,
               "also copy repositories out of a VM; their configuration can run programs here"),
        COMMON_OPTIONS(struct cp_options),
        { 0 },
};

/* Splits NAME:PATH and returns true. Returns false for a path on this computer: one without a colon, or without a valid VM's
 * name before it. The caller owns `*name`. */
static bool split(const char *text, char **name, const char **path)
{
        _cleanup_(freep) char *front = xstrndup(text, strcspn(text, ":"));

        if (text[strlen(front)] != ':' || !text_name_valid(front))
                return false;
        *path = text + strlen(front) + 1;
        *name = TAKE_PTR(front);
        return true;
}

static int read_wish(const struct cp_options *given, struct copy_wish *out, struct error **err)
{
        *out = (struct copy_wish){ .recursive = given->recursive, .repos = given->repos };
        if (text_parse_size(given->most ? given->most : MOST_DEFAULT, &out->most) == 0 && out->most > 0)
                return 0;
        error_set(err, ERROR_USAGE, "'%s' is not a size", given->most);
        return error_hint(err, "write it as in: --max-size 50GiB");
}

static int copy_one_out(struct context *context, const struct vm *vm, const char *path, const char *target,
                        struct copy_wish *wish, struct error **err)
{
        wish->left_out = 0;
        if (copy_out(vm, path, target, wish, context->front.events, err) < 0)
                return -1;
        if (wish->left_out > 0)
                event_warning(context->front.events, "%ju left out of '%s': links, or neither files nor folders",
                              (uintmax_t)wish->left_out, path);
        return 0;
}

static int copy_all(struct context *context, const struct vm *vm, const struct strv *operands, const char *path, bool out,
                    struct copy_wish *wish, struct error **err)
{
        const char *target = operands->items[operands->count - 1];

        for (size_t i = 0; i + 1 < operands->count; i++) {
                const char *source = operands->items[i];
                int status;

                event_begin(context->front.events, "copy", "copying '%s'", source);
                status = out ? copy_one_out(context, vm, strchr(source, ':') + 1, target, wish, err)
                             : copy_in(vm, source, path, wish->recursive, context->front.events, err);
                event_end(context->front.events, "copy", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
                if (status < 0)
                        return -1;
        }
        return 0;
}

/* Finds out which VM is meant and in which direction to copy. Sets `*path` when the target is in the guest. */
static int judge(const struct strv *operands, char **name, const char **path, bool *out, struct error **err)
{
        const char *last = operands->count > 0 ? operands->items[operands->count - 1] : NULL;
        static const char hint[] = "machine cp NAME:PATH… PATH, or machine cp PATH… NAME:PATH";

        if (operands->count < 2) {
                error_set(err, ERROR_USAGE, "'machine cp' needs a source and a target");
                return error_hint(err, hint);
        }
        *out = !split(last, name, path);
        for (size_t i = 0; i + 1 < operands->count; i++) {
                _cleanup_(freep) char *other = NULL;
                const char *rest;
                bool remote = split(operands->items[i], &other, &rest);

                if (remote != *out) {
                        error_set(err, ERROR_USAGE, "exactly one side must be in a VM (NAME:PATH)");
                        return error_hint(err, hint);
                }
                if (remote && *name && !streq(*name, other)) {
                        error_set(err, ERROR_USAGE, "all sources must be in the same VM, not in '%s' and '%s'", *name, other);
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
        struct copy_wish wish;
        const char *path = NULL;
        bool out = false;

        if (judge(&invocation->operands, &name, &path, &out, err) < 0 || read_wish(given, &wish, err) < 0 ||
            running_open(&context->front, name, &vm, err) < 0 ||
            copy_all(context, &vm, &invocation->operands, path, out, &wish, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = vm.name, .state = "running", .how = "copied", .started = started },
                     "copied %zu item%s", invocation->operands.count - 1, invocation->operands.count == 2 ? "" : "s");
        return 0;
}

const struct command command_cp = {
        .name = "cp",
        .operands = "SOURCE… TARGET",
        .summary = "copy files into a VM, or out of it",
        .text = "One side is NAME:PATH, relative to the home of the guest's user; the other is a path on this computer. The guest\n"
                "never decides where something is written here. On the way into a VM, links in a folder are refused. Sparse files\n"
                "stay sparse.",
        .options = options,
        .options_size = sizeof(struct cp_options),
        .operands_most = SIZE_MAX,
        .orderly = true,
        .run = run,
};
